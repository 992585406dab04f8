/** Real worker threads, but no listeners: those need privileges. */
import assert from "node:assert/strict";
import { EAGAIN } from "../../../ffi/consts.ts";
import { drainEventFd, openEventFd } from "../../../ffi/epoll.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { DEFAULT_CONFIG } from "../../../src/config/defaults.ts";
import { type Dataplane, startDataplane } from "../../../src/dataplane/supervisor.ts";
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

Deno.test("startDataplane() fails and closes what it opened when a worker cannot start", async () => {
  const failing = start(new URL("data:application/javascript,throw new Error('broken')"));
  await assert.rejects(failing, (error) => error instanceof OperationError && /broken/.test(error.message));
});
