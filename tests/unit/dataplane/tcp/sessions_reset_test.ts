/** One side sees, when the other resets, all that was sent before, then a RST, and never a clean end. */
import assert from "node:assert/strict";
import { ECONNRESET, EPOLLERR, EPOLLIN } from "../../../../ffi/consts.ts";
import { closeFd } from "../../../../ffi/sockets/socket.ts";
import { descriptorTest } from "../../ffi/support/descriptors.ts";
import {
  accept,
  addressOf,
  assertSameBytes,
  bytes,
  dial,
  drain,
  fill,
  finish,
  listen,
  pattern,
  readText,
  reset,
  sendAll,
  tcpPair,
} from "../../ffi/support/tcp.ts";
import { SessionBench } from "../support/session_bench.ts";

/** A session that is open: the two ends that the test holds. */
function openSession(
  bench: SessionBench,
  options: { smallBuffers?: boolean; full?: boolean } = {},
): { client: number; server: number } {
  // The dialled end of the client's connection belongs to the proxy here: its send buffer is the small one.
  const [proxyToClient, client] = tcpPair(options);
  const [proxyToServer, server] = tcpPair(options);
  if (options.full) fill(proxyToClient); // the client takes nothing more
  bench.open(proxyToClient, proxyToServer);
  bench.settle();
  return { client, server };
}

descriptorTest("TcpSessions passes what the upstream sent before its reset, then a reset", async () => {
  using bench = new SessionBench();
  const { client, server } = openSession(bench);
  sendAll(server, "the last words");
  reset(server);
  const reader = await bench.readToEnd(client);
  assert.deepEqual([reader.text, reader.end], ["the last words", -ECONNRESET]);
  assert.equal(bench.sessions.size, 0);
  assert.deepEqual(bench.counts(), { connected: 1, reset: 1 });
  closeFd(client);
});

descriptorTest("TcpSessions passes no clean end when it notices the reset while sending", async () => {
  using bench = new SessionBench();
  const { client, server } = openSession(bench);
  sendAll(server, "half of the answer");
  reset(server);
  sendAll(client, "more of the question");
  // The client's event comes first: the error is taken by the send, and reading sees nothing of it.
  bench.sessions.event(0, 1, EPOLLIN);
  const reader = await bench.readToEnd(client);
  assert.deepEqual([reader.text, reader.end], ["half of the answer", -ECONNRESET]);
  assert.equal(bench.sessions.size, 0);
  closeFd(client);
});

descriptorTest(
  "TcpSessions passes no clean end when bulk meets the reset with bytes in the pipe",
  async () => {
    using bench = new SessionBench();
    const { client, server } = openSession(bench, { smallBuffers: true });
    // The client does not read: the relay goes over to bulk and ends with bytes in the pipe.
    for (let i = 0; i < 50; i++) {
      fill(server);
      bench.settle();
    }
    reset(server);
    // The upstream's event of before the reset: the relay itself finds the error.
    bench.sessions.event(1, 1, EPOLLIN);
    const reader = await bench.readToEnd(client);
    assert.equal(reader.end, -ECONNRESET);
    assertSameBytes(reader.data, pattern(reader.data.length));
    closeFd(client);
  },
);

descriptorTest("TcpSessions passes what an upstream sent that was reset before its first event", async () => {
  using bench = new SessionBench();
  const listener = listen();
  const [proxyToClient, client] = tcpPair();
  bench.open(proxyToClient, dial(addressOf(listener)));
  const server = accept(listener);
  sendAll(server, "go away");
  reset(server);
  const reader = await bench.readToEnd(client);
  assert.deepEqual([reader.text, reader.end], ["go away", -ECONNRESET]);
  assert.equal(bench.sessions.size, 0);
  assert.deepEqual(bench.counts(), { connected: 1, reset: 1 });
  closeFd(client);
  closeFd(listener);
});

descriptorTest("TcpSessions resets the upstream when the client resets after its end", async () => {
  using bench = new SessionBench();
  const { client, server } = openSession(bench);
  sendAll(client, "question");
  finish(client);
  bench.settle();
  assert.deepEqual(readText(server), { text: "question", end: "end" });
  reset(client);
  await bench.until(() => bench.sessions.size === 0);
  assert.equal(drain(server).end === "open", false);
  assert.deepEqual(bench.counts(), { connected: 1, reset: 1 });
  closeFd(server);
});

descriptorTest("TcpSessions gives up a reset session whose other side takes nothing, after 5 s", async () => {
  using bench = new SessionBench();
  const { client, server } = openSession(bench, { smallBuffers: true, full: true });
  for (let i = 0; i < 20; i++) {
    fill(server);
    bench.settle();
  }
  reset(server);
  const start = performance.now();
  await bench.until(() => bench.sessions.size === 0, 8);
  const seconds = (performance.now() - start) / 1000;
  assert.ok(seconds > 4.5 && seconds < 6, `after ${seconds} s`);
  assert.ok(drain(client).data.length > 0);
  closeFd(client);
});

descriptorTest(
  "TcpSessions goes on passing what was sent before a reset when its side tells the reset again",
  async () => {
    using bench = new SessionBench();
    const { client, server } = openSession(bench, { smallBuffers: true });
    for (let i = 0; i < 20; i++) {
      fill(server);
      bench.settle();
    }
    reset(server);
    bench.settle();
    bench.sessions.event(1, 1, EPOLLERR);
    assert.equal(bench.sessions.size, 1);
    const reader = await bench.readToEnd(client);
    assert.equal(reader.end, -ECONNRESET);
    assertSameBytes(reader.data, pattern(reader.data.length));
    closeFd(client);
  },
);

descriptorTest("TcpSessions ends at once when both sides reset", () => {
  using bench = new SessionBench();
  const { client, server } = openSession(bench);
  sendAll(client, bytes("a"));
  reset(server);
  reset(client);
  bench.settle();
  assert.equal(bench.sessions.size, 0);
});
