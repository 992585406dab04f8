/** Real worker threads, but no listeners: those need privileges. */
import assert from "node:assert/strict";
import { EAGAIN } from "../../../ffi/consts.ts";
import { drainEventFd, openEventFd } from "../../../ffi/epoll.ts";
import { closeFd } from "../../../ffi/socket.ts";
import { DEFAULT_CONFIG } from "../../../src/config/defaults.ts";
import { type Dataplane, startDataplane, workerCount } from "../../../src/dataplane/supervisor.ts";
import { createLogger } from "../../../src/log.ts";
import { OperationError } from "../../../src/net/error.ts";
import { descriptorTest } from "../ffi/support/descriptors.ts";

const WORKER = new URL("../../../src/dataplane/worker.ts", import.meta.url);
const CONFIG = { ...DEFAULT_CONFIG, listener: { port: 0, workers: 2 } };
const LOG = createLogger({ level: "error", format: "text", write: () => {} });

function start(workerUrl = WORKER): Promise<Dataplane> {
  return startDataplane({ config: CONFIG, families: [], log: LOG, workerUrl });
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

descriptorTest("Dataplane.drain() ends when there is no connection", async () => {
  const dataplane = await start();
  dataplane.drain();
  await dataplane.ended;
});

descriptorTest("Dataplane.stop() after the end touches no descriptor", async () => {
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

descriptorTest("startDataplane() fails and closes what it opened when a worker cannot start", async () => {
  const failing = start(new URL("data:application/javascript,throw new Error('broken')"));
  await assert.rejects(failing, (error) => error instanceof OperationError && /broken/.test(error.message));
});

Deno.test("workerCount() is what the config says, or one per processor", () => {
  assert.equal(workerCount(CONFIG), 2);
  const auto = { ...CONFIG, listener: { port: 0, workers: "auto" as const } };
  assert.equal(workerCount(auto), navigator.hardwareConcurrency);
});
