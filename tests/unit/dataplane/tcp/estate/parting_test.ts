/**
 * Sessions that go from one worker to another and back, at any moment: the random ones of
 * sessions_random_test.ts, whose promises hold all the same, and some that show a single thing.
 */
import assert from "node:assert/strict";
import { SHUT_WR } from "../../../../../ffi/consts.ts";
import { libc } from "../../../../../ffi/libc.ts";
import { closeFd, send, shutdownSocket } from "../../../../../ffi/sockets/socket.ts";
import { countGiven, type GivenConnections } from "../../../../../src/dataplane/handover/connections.ts";
import { HALF_CLOSED } from "../../../../../src/dataplane/tcp/stage_numbers.ts";
import { Parting } from "../../../../../src/dataplane/tcp/estate/parting.ts";
import { check } from "../../../../../src/net/error.ts";
import { descriptorTest } from "../../../ffi/support/descriptors.ts";
import { assertSameBytes, pattern, Reader, reset, tcpPair } from "../../../ffi/support/tcp.ts";
import { checkWay, describeStall, End, randomNumbers } from "../../support/random_ends.ts";
import { SessionBench } from "../../support/session_bench.ts";

const F_DUPFD_CLOEXEC = 1030;

/** Does to what is given as a socket between two processes does. */
function carry(given: GivenConnections): GivenConnections {
  const fds = given.fds.map((fd) => check(libc.fcntl(fd, F_DUPFD_CLOEXEC, 0), "dup"));
  return { ...structuredClone(given), fds };
}

/** A worker's sessions, and its parting with them. */
class Side implements Disposable {
  readonly bench: SessionBench;
  readonly parting: Parting;

  constructor(maxPipes = 6) {
    this.bench = new SessionBench({ maxPipes });
    this.parting = new Parting(this.bench.context, this.bench.sessions);
  }

  /** Gives what it has to give. Their number. */
  giveTo(heir: Side): number {
    const given = carry(this.parting.park());
    this.bench.turn();
    this.parting.part();
    heir.bench.sessions.inherit(given);
    return countGiven(given);
  }

  /** Begins to give, and takes it back. */
  hesitate(): void {
    carry(this.parting.park()).fds.forEach(closeFd);
    this.bench.turn();
    this.parting.unpark();
  }

  [Symbol.dispose](): void {
    this.bench[Symbol.dispose]();
  }
}

/** A session between two ends. */
function open({ bench }: Side, options: { smallBuffers?: boolean } = {}): [client: number, server: number] {
  const [proxyToClient, client] = tcpPair(options);
  const [proxyToServer, server] = tcpPair(options);
  bench.open(proxyToClient, proxyToServer);
  bench.settle();
  return [client, server];
}

for (const seed of [1, 2, 3, 4]) {
  descriptorTest(`random sessions go from worker to worker (seed ${seed})`, async () => {
    const random = randomNumbers(seed);
    using first = new Side();
    using second = new Side();
    const sessions = Array.from({ length: 25 }, () => {
      const [client, server] = open(first, { smallBuffers: random(2) === 0 });
      return [new End(client, random), new End(server, random)] as const;
    });
    const ends = sessions.flat();
    const deadline = performance.now() + 15_000;
    let moved = 0;
    let pipes = 0;
    for (let step = 0; ends.some((end) => !end.over); step++) {
      assert.ok(performance.now() < deadline, describeStall(ends));
      for (const end of ends) end.act();
      first.bench.turn();
      second.bench.turn();
      const [from, to] = random(2) === 0 ? [first, second] : [second, first];
      const choice = random(4);
      if (choice === 0) {
        pipes += from.bench.sessions.open(25).filter(({ up, down }) => up.inPipe + down.inPipe > 0).length;
        moved += from.giveTo(to);
      } else if (choice === 1) from.hesitate();
      if (step % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const over = () => first.bench.sessions.size + second.bench.sessions.size === 0;
    await first.bench.until(() => (second.bench.turn(), over()), 8);
    for (const [client, server] of sessions) {
      checkWay(client, server);
      checkWay(server, client);
    }
    const counts = [first, second].map(({ bench }) => bench.counts());
    const sum = (name: "closed" | "reset") => counts.reduce((all, own) => all + (own[name] ?? 0), 0);
    assert.equal(sum("closed") + sum("reset"), 25, "each has ended once");
    assert.ok(moved > 20, `${moved} moves show little`);
    assert.ok(pipes > 0, "no pipe had anything");
    for (const end of ends) if (!end.closed) closeFd(end.fd);
  });
}

for (const [place, length, piece] of [["buffer", 400_000, 1000], ["pipe", 3_000_000, 1 << 20]] as const) {
  descriptorTest(`what waits in a ${place} goes along, and its end behind it`, async () => {
    const maxPipes = place === "buffer" ? 0 : 6;
    using first = new Side(maxPipes);
    using second = new Side(maxPipes);
    const [client, server] = open(first, { smallBuffers: true });
    const bytes = pattern(length);
    let sent = 0;
    const push = () => {
      const returned = send(client, bytes.subarray(sent), Math.min(piece, length - sent));
      if (returned > 0) sent += returned;
      if (sent === length) shutdownSocket(client, SHUT_WR);
    };
    for (let i = 0; i < 500; i++) {
      push(); // nobody reads
      first.bench.turn();
    }
    const [{ up }] = first.bench.sessions.open(1);
    assert.ok(place === "buffer" ? up.buffer !== null : up.inPipe > 0, `none waits in a ${place}`);
    assert.equal(first.giveTo(second), 1);
    const reader = new Reader(server);
    await second.bench.until(() => {
      push();
      return reader.read() !== "open";
    });
    assert.equal(reader.end, "end");
    assertSameBytes(reader.data, bytes);
    const { bytesUp } = second.bench.books.counters();
    assert.equal(bytesUp + first.bench.relayed().up, length, "none is counted twice");
    const [row] = second.bench.books.sessions();
    assert.equal(row.bytesUp, length, "of the whole connection");
    assert.equal(row.stage, HALF_CLOSED);
    closeFd(client);
    closeFd(server);
    await second.bench.until(() => second.bench.sessions.size === 0);
  });
}

descriptorTest("a connection that is told of is not touched, closed or reset by the one before", async () => {
  using second = new Side();
  let ends: [client: number, server: number];
  {
    using first = new Side();
    ends = open(first);
    const [{ slot, tag }] = first.bench.books.sessions();
    const given = carry(first.parting.park());
    send(ends[0], new Uint8Array(10), 10);
    first.bench.sessions.retime();
    first.bench.sessions.abort(slot, tag);
    first.bench.settle();
    assert.equal(new Reader(ends[1]).read(), "open");
    assert.equal(first.bench.relayed().up, 0);
    assert.deepEqual(first.bench.counts(), { connected: 1 });
    second.bench.sessions.inherit(given);
  } // it ends meanwhile
  const [client, server] = ends;
  second.bench.settle();
  shutdownSocket(client, SHUT_WR);
  const reader = await second.bench.readToEnd(server);
  assert.deepEqual([reader.end, reader.data.length], ["end", 10]);
  closeFd(server);
  assert.equal(
    (await second.bench.readToEnd(client)).end,
    "end",
    "nobody has had it reset when it is closed",
  );
  closeFd(client);
});

descriptorTest("a session that has more to do than a turn allows does it elsewhere", () => {
  using first = new Side();
  using second = new Side();
  const [client, server] = open(first);
  const { sessions } = first.bench;
  const [session] = sessions.open(1);
  send(client, new Uint8Array(10), 10);
  session.up.readable = true;
  sessions.continueLater(session); // as a turn does that is over
  const given = carry(first.parting.park());
  for (let i = 0; i < 3; i++) first.bench.turn();
  assert.equal(first.bench.relayed().up, 0);
  first.parting.part();
  assert.equal(sessions.size, 0);
  second.bench.sessions.inherit(given);
  second.bench.settle();
  assert.equal(second.bench.relayed().up, 10);
  for (const fd of [client, server]) reset(fd);
  second.bench.settle();
});

descriptorTest(
  "bytes, and an end right behind them, are met that have come while nobody has looked",
  async () => {
    using first = new Side();
    using second = new Side();
    const [client, server] = open(first);
    const given = carry(first.parting.park());
    send(client, new Uint8Array(10), 10);
    shutdownSocket(client, SHUT_WR);
    first.parting.part();
    second.bench.sessions.inherit(given);
    const reader = await second.bench.readToEnd(server);
    assert.deepEqual([reader.end, reader.data.length], ["end", 10]);
    for (const fd of [client, server]) reset(fd);
    second.bench.settle();
  },
);

descriptorTest("a worker that fails leaves open what another process may be about to get", async () => {
  const first = new Side();
  using second = new Side();
  const [client, server] = open(first, { smallBuffers: true });
  const bytes = pattern(3_000_000);
  let sent = 0;
  for (let i = 0; i < 500; i++) {
    const returned = send(client, bytes.subarray(sent), Math.min(1 << 20, bytes.length - sent));
    if (returned > 0) sent += returned;
    first.bench.turn();
  }
  const given = first.parting.park();
  assert.ok(given.fds.length >= 4, "no pipe goes along");
  first.bench.sessions.abandon();
  first.bench.loop.abandon();
  const carried = carry(given); // each is open yet
  given.fds.forEach(closeFd);
  second.bench.sessions.inherit(carried);
  shutdownSocket(client, SHUT_WR);
  const reader = await second.bench.readToEnd(server);
  assertSameBytes(reader.data, bytes.subarray(0, sent));
  for (const fd of [client, server]) reset(fd);
  second.bench.settle();
});
