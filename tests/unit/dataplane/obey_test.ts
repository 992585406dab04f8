import assert from "node:assert/strict";
import { ECONNRESET } from "../../../src/net/errno.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { obey } from "../../../src/dataplane/obey.ts";
import type { Order } from "../../../src/dataplane/orders.ts";
import type { Settings } from "../../../src/dataplane/settings.ts";
import type { SessionKey } from "../../../src/dataplane/shared/session_key.ts";
import { descriptorTest } from "../ffi/support/descriptors.ts";
import { addressOf, dial, finish, listen, Reader, tcpPair } from "../ffi/support/tcp.ts";
import { SessionBench, testSettings } from "./support/session_bench.ts";

/** A bench whose worker obeys, and what it has answered. */
class Office {
  readonly adopted: number[] = [];
  readonly ends: string[] = [];
  readonly levels: string[] = [];
  readonly #bench: SessionBench;

  constructor(bench: SessionBench) {
    this.#bench = bench;
  }

  give(order: Order): void {
    obey(order, {
      context: this.#bench.context,
      tcp: this.#bench.sessions,
      udp: null,
      giving: { obey: () => {} },
      setLogLevel: (level) => void this.levels.push(level),
      adopted: (number) => void this.adopted.push(number),
      end: (kind) => void this.ends.push(kind),
    });
  }

  adopt(settings: Settings, number = 2): void {
    const totals = this.#bench.books.begin({ generation: number, rules: [], otherwise: "default" });
    this.give({ kind: "adopt", adoption: { number, settings, policy: null, totals } });
  }
}

/** An open session and its two ends. */
function openSession(bench: SessionBench): { client: number; server: number } {
  const [proxyToClient, client] = tcpPair();
  const [proxyToServer, server] = tcpPair();
  bench.open(proxyToClient, proxyToServer);
  bench.settle();
  return { client, server };
}

descriptorTest("obey() gives an idle session the new timeout, which was to sleep for hours", async () => {
  using bench = new SessionBench({ idleMs: 7_200_000 });
  const { client, server } = openSession(bench);
  // Its timer comes round once when it gets its keepalive, then not for a turn of the wheel.
  const aged = performance.now() + 2200;
  await bench.until(() => performance.now() > aged);
  const office = new Office(bench);
  office.adopt(testSettings({ idleMs: 200 }));
  assert.deepEqual(office.adopted, [2]);
  assert.deepEqual(bench.counts(), { connected: 1 });
  await bench.until(() => bench.counts().expired === 1);
  for (const fd of [client, server]) closeFd(fd);
});

descriptorTest("obey() gives an idle session more time too", async () => {
  using bench = new SessionBench({ idleMs: 300 });
  const { client, server } = openSession(bench);
  new Office(bench).adopt(testSettings({ idleMs: 60_000 }));
  const end = performance.now() + 600;
  await bench.until(() => performance.now() > end);
  assert.deepEqual(bench.counts(), { connected: 1 });
  for (const fd of [client, server]) closeFd(fd);
});

descriptorTest("obey() gives dialling and half-closed sessions their new timeouts", async () => {
  using bench = new SessionBench({ connectMs: 3_600_000, halfClosedMs: 3_600_000 });
  const halfClosed = openSession(bench);
  finish(halfClosed.client);
  bench.settle();
  // A listener whose queue is full drops what comes.
  const listener = listen({ backlog: 0 });
  const queued = [dial(addressOf(listener)), dial(addressOf(listener))];
  const [proxyToClient, client] = tcpPair();
  bench.open(proxyToClient, dial(addressOf(listener)));
  bench.settle();
  assert.equal(bench.sessions.size, 2);
  new Office(bench).adopt(testSettings({ connectMs: 100, halfClosedMs: 100 }));
  await bench.until(() => bench.sessions.size === 0);
  assert.deepEqual(bench.counts(), { connected: 1, timedOut: 1, expired: 1 });
  for (const fd of [client, listener, ...queued, halfClosed.client, halfClosed.server]) closeFd(fd);
});

descriptorTest("obey() puts a limit per client into force that counts the sessions from before", () => {
  using bench = new SessionBench();
  const ends = [openSession(bench), openSession(bench)];
  new Office(bench).adopt(testSettings({ perClient: 2 }));
  const [proxyToClient, client] = tcpPair();
  bench.shared.addLive(1);
  const session = bench.sessions.begin(proxyToClient, new Uint8Array(32));
  assert.equal(session.excess, 1);
  bench.sessions.refuse(session, 0, 0);
  for (const fd of [client, ...ends.flatMap(({ client, server }) => [client, server])]) closeFd(fd);
});

descriptorTest("obey() changes the level of the log, and tells drain and stop on", () => {
  using bench = new SessionBench();
  const office = new Office(bench);
  office.adopt(testSettings({ logLevel: "debug" }));
  office.give({ kind: "drain" });
  office.give({ kind: "stop" });
  assert.deepEqual([office.levels, office.ends], [["debug"], ["drain", "stop"]]);
});

descriptorTest("obey() ends a session by its key, and no other", () => {
  using bench = new SessionBench();
  const listener = listen();
  const one = openSession(bench);
  const two = openSession(bench);
  const [, row] = bench.books.sessions();
  const office = new Office(bench);
  office.give({ kind: "close", sessions: [{ ...row, tag: row.tag + 7 }] });
  assert.equal(bench.sessions.size, 2, "its tag is of a session that has ended");
  office.give({ kind: "close", sessions: [row] });
  assert.deepEqual([...bench.books.sessions()].map(({ slot }) => slot), [1 - row.slot]);
  assert.equal(new Reader(two.client).read(), -ECONNRESET);
  assert.equal(new Reader(one.client).read(), "open");
  for (const fd of [listener, one.client, one.server, two.client, two.server]) closeFd(fd);
});

descriptorTest("obey() throws on what is no order", () => {
  using bench = new SessionBench();
  const office = new Office(bench);
  assert.throws(() => office.give({ kind: "dance" } as unknown as Order), /no order: .*dance/);
  const key = { worker: 0, protocol: "sctp", slot: 0, tag: 1 } as unknown as SessionKey;
  assert.throws(() => office.give({ kind: "close", sessions: [key] }), /no protocol: "sctp"/);
});
