/**
 * Many sessions at once, whose ends send, read, stop reading, half-close and reset at random. In all cases
 * bytes arrive unchanged and in order, a clean end means that all has arrived, a reset stays a reset, and
 * nothing stalls.
 */
import assert from "node:assert/strict";
import { closeFd } from "../../../../ffi/sockets/socket.ts";
import { descriptorTest } from "../../ffi/support/descriptors.ts";
import { tcpPair } from "../../ffi/support/tcp.ts";
import { checkWay, describeStall, End, randomNumbers } from "../support/random_ends.ts";
import { SessionBench } from "../support/session_bench.ts";

for (const seed of [1, 2, 3]) {
  descriptorTest(`TcpSessions keeps its promises over random sessions (seed ${seed})`, async () => {
    const random = randomNumbers(seed);
    using bench = new SessionBench({ maxPipes: 6 });
    const sessions = Array.from({ length: 25 }, () => {
      const smallBuffers = random(2) === 0;
      const [proxyToClient, client] = tcpPair({ smallBuffers });
      const [proxyToServer, server] = tcpPair({ smallBuffers });
      bench.open(proxyToClient, proxyToServer);
      return [new End(client, random), new End(server, random)] as const;
    });
    bench.settle();
    const ends = sessions.flat();
    const deadline = performance.now() + 10_000;
    for (let step = 0; ends.some((end) => !end.over); step++) {
      assert.ok(performance.now() < deadline, describeStall(ends));
      for (const end of ends) end.act();
      bench.turn();
      // Let timers of the kernel and of sessions run, too.
      if (step % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await bench.until(() => bench.sessions.size === 0, 8);
    for (const [client, server] of sessions) {
      checkWay(client, server);
      checkWay(server, client);
    }
    const { connected, closed = 0, reset: resets = 0, ...others } = bench.counts();
    assert.deepEqual(others, {});
    assert.equal(connected, 25);
    assert.equal(closed + resets, 25);
    assert.ok(closed > 0 && resets > 0, "the seed shows nothing");
    for (const end of ends) if (!end.closed) closeFd(end.fd);
  });
}
