/** The life of a session: dial, relay in both directions, half-close, end, timeouts. */
import assert from "node:assert/strict";
import { ECONNRESET, MSG_OOB } from "../../../../ffi/consts.ts";
import { closeFd, sendWithFlags } from "../../../../ffi/sockets/socket.ts";
import { descriptorTest } from "../../ffi/support/descriptors.ts";
import {
  accept,
  addressOf,
  assertSameBytes,
  bytes,
  closedPort,
  dial,
  drain,
  finish,
  listen,
  pattern,
  Reader,
  readText,
  reset,
  sendAll,
  tcpPair,
} from "../../ffi/support/tcp.ts";
import { SessionBench } from "../support/session_bench.ts";

/** Hands over a client's connection and a socket that dials; the test holds the client. */
function openDialling(bench: SessionBench, upstream: number): number {
  const [proxySide, client] = tcpPair();
  bench.open(proxySide, upstream);
  return client;
}

/** A session between two connections. */
function openSession(bench: SessionBench): { client: number; server: number } {
  const [proxySide, server] = tcpPair();
  const client = openDialling(bench, proxySide);
  bench.settle();
  return { client, server };
}

descriptorTest(
  "TcpSessions relays both ways, passes half-closes, and ends when both have ended",
  async () => {
    using bench = new SessionBench();
    const { client, server } = openSession(bench);
    sendAll(client, "question");
    finish(client);
    const request = new Reader(server);
    await bench.until(() => request.read() === "end");
    assert.equal(request.text, "question");
    sendAll(server, "long answer");
    finish(server);
    const response = new Reader(client);
    await bench.until(() => response.read() === "end");
    assert.equal(response.text, "long answer");
    await bench.until(() => bench.sessions.size === 0);
    assert.deepEqual(bench.counts(), { connected: 1, closed: 1 });
    assert.deepEqual(bench.relayed(), { up: 8, down: 11 });
    closeFd(client);
    closeFd(server);
  },
);

descriptorTest("TcpSessions keeps what a client says before the upstream answers", async () => {
  using bench = new SessionBench();
  const listener = listen();
  const [proxySide, client] = tcpPair();
  sendAll(client, "early");
  finish(client);
  bench.open(proxySide, dial(addressOf(listener)));
  const server = accept(listener);
  const reader = new Reader(server);
  await bench.until(() => reader.read() === "end");
  assert.equal(reader.text, "early");
  for (const fd of [client, server, listener]) closeFd(fd);
});

descriptorTest("TcpSessions relays much in both directions at once", async () => {
  using bench = new SessionBench();
  const { client, server } = openSession(bench);
  const sent = pattern(2_000_000);
  const ends = [client, server].map((fd) => ({ fd, offset: 0, reader: new Reader(fd) }));
  await bench.until(() => {
    for (const end of ends) {
      if (end.offset < sent.length) {
        const taken = sendWithFlags(end.fd, sent.slice(end.offset, end.offset + 100_000), 0x4040);
        if (taken > 0) end.offset += taken;
        if (end.offset === sent.length) finish(end.fd);
      }
      end.reader.read();
    }
    return ends.every(({ reader }) => reader.end !== "open");
  }, 20);
  for (const { reader } of ends) assertSameBytes(reader.data, sent);
  await bench.until(() => bench.sessions.size === 0);
  assert.deepEqual(bench.counts(), { connected: 1, closed: 1 });
  for (const { fd } of ends) closeFd(fd);
});

descriptorTest("TcpSessions resets the client when the upstream refuses", async () => {
  using bench = new SessionBench();
  const client = openDialling(bench, dial(closedPort()));
  const reader = await bench.readToEnd(client);
  assert.equal(reader.end, -ECONNRESET);
  assert.deepEqual(bench.counts(), { refused: 1 });
  closeFd(client);
});

descriptorTest("TcpSessions gives up a silent upstream after the connect timeout", async () => {
  using bench = new SessionBench({ connectMs: 200 });
  // A listener whose queue is full drops what comes.
  const listener = listen({ backlog: 0 });
  const queued = [dial(addressOf(listener)), dial(addressOf(listener))];
  const client = openDialling(bench, dial(addressOf(listener)));
  const start = performance.now();
  const reader = await bench.readToEnd(client);
  const elapsed = performance.now() - start;
  assert.ok(elapsed >= 190 && elapsed < 1000, `after ${elapsed} ms`);
  assert.equal(reader.end, -ECONNRESET);
  assert.deepEqual(bench.counts(), { timedOut: 1 });
  for (const fd of [client, listener, ...queued]) closeFd(fd);
});

descriptorTest("TcpSessions ends the dial when the client resets", async () => {
  using bench = new SessionBench();
  const listener = listen({ backlog: 0 });
  const queued = [dial(addressOf(listener)), dial(addressOf(listener))];
  const client = openDialling(bench, dial(addressOf(listener)));
  bench.settle();
  assert.equal(bench.sessions.size, 1);
  reset(client);
  await bench.until(() => bench.sessions.size === 0);
  assert.deepEqual(bench.counts(), { reset: 1 });
  for (const fd of [listener, ...queued]) closeFd(fd);
});

descriptorTest("TcpSessions ends the dial when the client has ended without a word", async () => {
  using bench = new SessionBench();
  const listener = listen({ backlog: 0 });
  const queued = [dial(addressOf(listener)), dial(addressOf(listener))];
  const silent = openDialling(bench, dial(addressOf(listener)));
  const brief = openDialling(bench, dial(addressOf(listener)));
  sendAll(brief, "a report");
  bench.settle();
  finish(silent);
  finish(brief);
  await bench.until(() => bench.sessions.size === 1, 4);
  assert.deepEqual(bench.counts(), { expired: 1 });
  assert.equal(readText(silent).end, -ECONNRESET);
  for (const fd of [silent, brief, listener, ...queued]) closeFd(fd);
});

descriptorTest("TcpSessions ends an idle session, and no busy one", async () => {
  using bench = new SessionBench({ idleMs: 300 });
  const busy = openSession(bench);
  const idle = openSession(bench);
  const start = performance.now();
  while (performance.now() - start < 700) {
    sendAll(busy.client, "tick");
    await new Promise((resolve) => setTimeout(resolve, 20));
    bench.turn();
  }
  assert.equal(bench.sessions.size, 1);
  assert.equal(readText(idle.client).end, -ECONNRESET);
  assert.equal(readText(idle.server).end, -ECONNRESET);
  assert.equal(drain(busy.server).end, "open");
  assert.deepEqual(bench.counts(), { connected: 2, expired: 1 });
  for (const { client, server } of [busy, idle]) [client, server].forEach(closeFd);
});

descriptorTest("TcpSessions ends a half-closed session by its own timeout", async () => {
  using bench = new SessionBench({ halfClosedMs: 200 });
  const { client, server } = openSession(bench);
  const start = performance.now();
  finish(client);
  await bench.until(() => bench.sessions.size === 0);
  const elapsed = performance.now() - start;
  assert.ok(elapsed >= 190 && elapsed < 1000, `after ${elapsed} ms`);
  assert.deepEqual(bench.counts(), { connected: 1, expired: 1 });
  closeFd(client);
  closeFd(server);
});

descriptorTest("TcpSessions sleeps until its next timer, and not at all while there is more to do", () => {
  using bench = new SessionBench({ connectMs: 1000 });
  assert.equal(bench.sessions.timeout(), -1);
  const listener = listen({ backlog: 0 });
  const queued = [dial(addressOf(listener)), dial(addressOf(listener))];
  const client = openDialling(bench, dial(addressOf(listener)));
  bench.settle();
  const timeout = bench.sessions.timeout();
  assert.ok(timeout > 500 && timeout <= 1100, `${timeout} ms`);
  for (const fd of [client, listener, ...queued]) closeFd(fd);
});

descriptorTest("TcpSessions ignores an event of a session that has ended", async () => {
  using bench = new SessionBench();
  const first = openSession(bench);
  reset(first.client);
  await bench.until(() => bench.sessions.size === 0);
  const second = openSession(bench);
  // The first session's tag was 1; the slot is the same.
  bench.sessions.event(0, 1, 0x2018);
  bench.sessions.event(1, 1, 0x2018);
  assert.equal(bench.sessions.size, 1);
  sendAll(second.client, "alive");
  bench.settle();
  assert.equal(readText(second.server, 5).text, "alive");
  for (const fd of [first.server, second.client, second.server]) closeFd(fd);
});

descriptorTest("TcpSessions.close() resets both sides of each session", () => {
  using bench = new SessionBench();
  const sessions = [openSession(bench), openSession(bench)];
  bench.sessions.close();
  for (const { client, server } of sessions) {
    assert.equal(readText(client).end, -ECONNRESET);
    assert.equal(readText(server).end, -ECONNRESET);
    closeFd(client);
    closeFd(server);
  }
  assert.deepEqual(bench.counts(), { connected: 2, reset: 2 });
});

descriptorTest("TcpSessions passes urgent data as part of the stream, copying or in bulk", async () => {
  for (const before of [pattern(7), pattern(200_000)]) {
    using bench = new SessionBench();
    const { client, server } = openSession(bench);
    const reader = new Reader(server);
    sendAll(client, before);
    await bench.until(() => (reader.read(), reader.data.length === before.length));
    sendAll(client, "x");
    assert.equal(sendWithFlags(client, bytes("!"), MSG_OOB), 1);
    sendAll(client, "after");
    finish(client);
    await bench.until(() => reader.read() === "end");
    assert.equal(reader.text.slice(-7), "x!after");
    closeFd(client);
    closeFd(server);
  }
});

descriptorTest("TcpSessions works without any pipe", async () => {
  using bench = new SessionBench({ maxPipes: 0 });
  const { client, server } = openSession(bench);
  const sent = pattern(200_000);
  sendAll(client, sent);
  finish(client);
  const reader = new Reader(server);
  await bench.until(() => reader.read() === "end");
  assertSameBytes(reader.data, sent);
  closeFd(client);
  closeFd(server);
});

descriptorTest(
  "TcpSessions.abort() ends a session by its name, and nothing by the name of none",
  async () => {
    using bench = new SessionBench();
    const { client, server } = openSession(bench);
    const [{ slot, tag }] = bench.books.sessions();
    bench.sessions.abort(slot, 0);
    assert.equal(bench.sessions.size, 1);
    bench.sessions.abort(slot, tag);
    assert.equal(bench.sessions.size, 0);
    bench.sessions.abort(slot, tag);
    bench.sessions.abort(slot, 0); // the tag of a slot without a session
    assert.deepEqual(bench.counts(), { connected: 1, reset: 1 });
    const others = [openSession(bench), openSession(bench)];
    await bench.until(() => bench.sessions.size === 2);
    assert.equal(new Set([...bench.books.sessions()].map((row) => row.slot)).size, 2, "two in one slot");
    for (const fd of [client, server, ...others.flatMap(Object.values)]) closeFd(fd);
  },
);
