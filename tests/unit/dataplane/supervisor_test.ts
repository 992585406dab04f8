/** Real worker threads, but no listeners: those need privileges. */
import assert from "node:assert/strict";
import { EAGAIN } from "../../../ffi/consts.ts";
import { drainEventFd, openEventFd } from "../../../ffi/epoll.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { DEFAULT_CONFIG } from "../../../src/config/defaults.ts";
import { type Dataplane, startDataplane } from "../../../src/dataplane/supervisor.ts";
import type { SessionKey } from "../../../src/dataplane/shared/session_key.ts";
import { createLogger } from "../../../src/log.ts";
import { OperationError } from "../../../src/net/error.ts";
import { listDescriptors } from "../ffi/support/descriptors.ts";

const WORKER = new URL("../../../src/dataplane/worker.ts", import.meta.url);
const CONFIG = { ...DEFAULT_CONFIG, listener: { port: 0, workers: "auto" as const } };
const LOG = createLogger({ level: "error", format: "text", write: () => {} });

function start(workerUrl = WORKER): Promise<Dataplane> {
  return startDataplane({ config: CONFIG, workers: 2, families: [], log: LOG, workerUrl });
}

// The first worker makes Deno open descriptors of its own, for good.
Deno.test("startDataplane() starts and stops its workers", async () => {
  const dataplane = await start();
  assert.equal(dataplane.workers, 2);
  assert.equal(dataplane.live(), 0);
  assert.equal(dataplane.counters().accepted, 0);
  dataplane.stop();
  await dataplane.ended;
});

Deno.test("Dataplane.drain() ends when there is no connection, and leaves nothing open", async () => {
  const eventFds = () => listDescriptors().filter((line) => line.endsWith("[eventfd]")).length;
  const before = eventFds();
  for (let round = 0; round < 6; round++) {
    const dataplane = await start();
    dataplane.drain();
    await dataplane.ended;
  }
  // Deno itself has one more or less for each thread that is still being cleared away.
  const left = eventFds() - before;
  assert.ok(left < 12, `${left} eventfds more after 6 rounds with 2 workers`);
});

Deno.test("Dataplane.stop() after the end touches no descriptor", async () => {
  const dataplane = await start();
  dataplane.drain();
  await dataplane.ended;
  // These get the numbers that the workers' eventfds had.
  const others = Array.from({ length: 8 }, () => openEventFd());
  dataplane.stop();
  for (const fd of others) {
    assert.equal(drainEventFd(fd), -EAGAIN, `descriptor ${fd} of somebody else was written to`);
    closeFd(fd);
  }
});

Deno.test("Dataplane.adopt() resolves when every worker has taken it, also one after another", async () => {
  const dataplane = await start();
  const limits = (perClient: number) => ({
    ...CONFIG,
    limits: { ...CONFIG.limits, perClient, connections: 7 },
  });
  assert.notEqual(dataplane.maxConnections, 7);
  const adoptions = [1, 2, 3].map((perClient) =>
    dataplane.adopt({ settings: dataplane.settingsOf(limits(perClient)), policy: null })
  );
  await Promise.all(adoptions);
  assert.equal(dataplane.maxConnections, 7);
  dataplane.stop();
  await dataplane.ended;
  // nobody is left to wait for
  await dataplane.adopt({ settings: dataplane.settingsOf(CONFIG), policy: null });
});

Deno.test("Dataplane.adopt() that fails leaves the way free for the next one", async () => {
  const dataplane = await start();
  const settings = dataplane.settingsOf(CONFIG);
  const notToBePosted = { ...settings, source: (() => {}) as unknown as "client" };
  await assert.rejects(dataplane.adopt({ settings: notToBePosted, policy: null }), /clone/i);
  await dataplane.adopt({ settings, policy: null });
  dataplane.stop();
  await dataplane.ended;
});

/** Makes a worker throw: it is asked for a protocol that it does not have. */
function wreck(dataplane: Dataplane, worker: number): void {
  dataplane.close([{ worker, protocol: "sctp", slot: 0, tag: 1 }] as unknown as SessionKey[]);
}

Deno.test("Dataplane replaces a worker that fails: the new one takes orders, drains and ends", async () => {
  const dataplane = await start();
  const turns = dataplane.turns();
  wreck(dataplane, 1);
  // A new worker begins with the first, and must turn for the second.
  for (let i = 0; i < 2; i++) await dataplane.adopt({ settings: dataplane.settingsOf(CONFIG), policy: null });
  // A turn is counted when it is over, after its orders.
  while (!dataplane.turns().every((turn, worker) => turn > turns[worker])) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  dataplane.drain();
  await dataplane.ended;
});

Deno.test("Dataplane.ended tells of a worker that fails while it drains: nobody replaces it", async () => {
  const dataplane = await start();
  wreck(dataplane, 0); // it has not come to it yet when it is told to drain
  dataplane.drain();
  await assert.rejects(dataplane.ended, /Cannot run worker "0": .*no protocol/);
});

Deno.test("startDataplane() fails and closes what it opened when a worker cannot start", async () => {
  const failing = start(new URL("data:application/javascript,throw new Error('broken')"));
  await assert.rejects(failing, (error) => error instanceof OperationError && /broken/.test(error.message));
});
