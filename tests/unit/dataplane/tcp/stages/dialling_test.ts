/**
 * A session before its upstream has answered: upstreams that answer later, other addresses, and what is kept
 * meanwhile.
 */
import assert from "node:assert/strict";
import { ECANCELED, ECONNREFUSED, ECONNRESET, EHOSTUNREACH, ETIMEDOUT } from "../../../../../ffi/consts.ts";
import { closeFd } from "../../../../../ffi/sockets/socket.ts";
import { type Call, PENDING, type Upstream } from "../../../../../src/dataplane/upstream/upstream.ts";
import { descriptorTest } from "../../../ffi/support/descriptors.ts";
import {
  accept,
  addressOf,
  closedPort,
  dial,
  finish,
  listen,
  Reader,
  readText,
  reset,
  sendAll,
  tcpPair,
} from "../../../ffi/support/tcp.ts";
import { type BenchOptions, SessionBench } from "../../support/session_bench.ts";

/**
 * An upstream that looks its addresses up first: from then on, its dials return what `found` does, one after
 * another.
 */
class SlowUpstream implements Upstream {
  readonly name = "slow";
  isDirect = () => false;
  readonly wantsName = false;
  patience = () => 0;
  /** Calls that wait. */
  readonly waiting: Call[] = [];
  /** Its questions and news: "dial" with the attempt, and "settled" with the errno. */
  readonly told: string[] = [];
  found: (() => number)[] | null = null;

  dial(call: Call): number {
    this.told.push(`dial ${call.attempt}`);
    const returned = this.found === null ? PENDING : this.found.shift()?.() ?? -ECONNREFUSED;
    if (returned === PENDING) this.waiting.push(call);
    return returned;
  }
  greeting(): null {
    return null;
  }
  settled(_call: Call, errno: number): void {
    this.told.push(`settled ${errno}`);
  }
  ended(): void {}
}

/** A session whose upstream is slow; the test holds the client. */
function openPending(
  options: BenchOptions = {},
): { bench: SessionBench; slow: SlowUpstream; client: number } {
  const slow = new SlowUpstream();
  const bench = new SessionBench(options, () => slow);
  slow.patience = () => bench.context.settings.connectTicks;
  const [proxySide, client] = tcpPair();
  bench.open(proxySide);
  bench.settle();
  return { bench, slow, client };
}

/** The slow upstream knows its addresses now. */
function find(bench: SessionBench, slow: SlowUpstream, ...found: (() => number)[]): void {
  slow.found = found;
  for (const call of slow.waiting.splice(0)) bench.sessions.resume(call);
}

descriptorTest(
  "A session whose dial is pending keeps what the client sends, and its end, until resume()",
  async () => {
    const listener = listen();
    const { bench, slow, client } = openPending();
    using _ = bench;
    sendAll(client, "early");
    bench.settle();
    finish(client);
    bench.settle();
    assert.equal(bench.sessions.size, 1);
    assert.deepEqual(bench.counts(), {});
    find(bench, slow, () => dial(addressOf(listener)));
    const server = accept(listener);
    const request = new Reader(server);
    await bench.until(() => request.read() === "end");
    assert.equal(request.text, "early");
    sendAll(server, "answer");
    finish(server);
    const response = new Reader(client);
    await bench.until(() => response.read() === "end" && bench.sessions.size === 0);
    assert.equal(response.text, "answer");
    assert.deepEqual(slow.told, ["dial 0", "dial 0", "settled 0"]);
    assert.deepEqual(bench.counts(), { connected: 1, closed: 1 });
    for (const fd of [client, server, listener]) closeFd(fd);
  },
);

descriptorTest(
  "A pending session ends with its client, and resume() comes too late, also for the next in its place",
  () => {
    const { bench, slow, client } = openPending();
    using _ = bench;
    const [late] = slow.waiting;
    reset(client);
    bench.settle();
    assert.equal(bench.sessions.size, 0);
    assert.deepEqual(slow.told, ["dial 0", `settled ${ECANCELED}`]);
    assert.deepEqual(bench.counts(), { reset: 1 });
    slow.found = [];
    bench.sessions.resume(late);
    assert.equal(slow.told.length, 2);
    // The next session has the object of the first, and is open.
    const [proxySide, next] = tcpPair();
    const [upstream, server] = tcpPair();
    slow.found = [() => upstream];
    bench.open(proxySide);
    bench.settle();
    slow.told.length = 0;
    bench.sessions.resume(late);
    assert.deepEqual(slow.told, []);
    sendAll(next, "alive");
    bench.settle();
    assert.equal(readText(server, 5).text, "alive");
    for (const fd of [next, server]) closeFd(fd);
  },
);

descriptorTest("A dial that is pending for the connect timeout is given up, and asked no more", async () => {
  const { bench, slow, client } = openPending({ connectMs: 200 });
  using _ = bench;
  const start = performance.now();
  await bench.until(() => bench.sessions.size === 0);
  const elapsed = performance.now() - start;
  assert.ok(elapsed >= 190 && elapsed < 1000, `after ${elapsed} ms`);
  assert.deepEqual(slow.told, ["dial 0", `settled ${ETIMEDOUT}`]);
  assert.deepEqual(bench.counts(), { timedOut: 1 });
  assert.equal(readText(client).end, -ECONNRESET);
  closeFd(client);
});

descriptorTest("A pending dial that finds nothing resets the client", () => {
  const { bench, slow, client } = openPending();
  using _ = bench;
  find(bench, slow, () => -EHOSTUNREACH);
  assert.equal(bench.sessions.size, 0);
  assert.deepEqual(slow.told, ["dial 0", "dial 0"]);
  assert.deepEqual(bench.counts(), { failed: 1 });
  assert.equal(readText(client).end, -ECONNRESET);
  closeFd(client);
});

descriptorTest(
  "A session whose first address refuses waits for the next, and loses nothing of the client",
  async () => {
    const listener = listen();
    const { bench, slow, client } = openPending();
    using _ = bench;
    sendAll(client, "hello");
    find(bench, slow, () => dial(closedPort()), () => PENDING);
    await bench.until(() => slow.waiting.length === 1);
    bench.settle();
    assert.equal(bench.sessions.size, 1);
    assert.deepEqual(bench.counts(), {});
    find(bench, slow, () => dial(addressOf(listener)));
    const server = accept(listener);
    const reader = new Reader(server);
    await bench.until(() => (reader.read(), reader.text === "hello"));
    assert.deepEqual(slow.told, [
      "dial 0",
      "dial 0",
      `settled ${ECONNREFUSED}`,
      "dial 1",
      "dial 1",
      "settled 0",
    ]);
    for (const fd of [client, server, listener]) closeFd(fd);
  },
);

descriptorTest("TcpSessions.close() cancels dials, pending or under way", () => {
  const { bench, slow, client } = openPending();
  const listener = listen({ backlog: 0 });
  const queued = [dial(addressOf(listener)), dial(addressOf(listener))];
  slow.found = [() => dial(addressOf(listener))];
  const [proxySide, other] = tcpPair();
  bench.open(proxySide);
  bench.settle();
  assert.equal(bench.sessions.size, 2);
  bench.loop.close();
  assert.deepEqual(slow.told, ["dial 0", "dial 0", `settled ${ECANCELED}`, `settled ${ECANCELED}`]);
  assert.deepEqual(bench.counts(), { reset: 2 });
  for (const fd of [client, other, listener, ...queued]) closeFd(fd);
});

descriptorTest("A dial that fails at once resets the client, and is told its caller", () => {
  const slow = new SlowUpstream();
  slow.found = [() => -EHOSTUNREACH];
  using bench = new SessionBench({}, () => slow);
  const [proxySide, client] = tcpPair();
  assert.equal(bench.open(proxySide), -EHOSTUNREACH);
  assert.deepEqual(slow.told, ["dial 0"]);
  assert.deepEqual(bench.counts(), { failed: 1 });
  assert.equal(readText(client).end, -ECONNRESET);
  closeFd(client);
});
