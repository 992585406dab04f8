import assert from "node:assert/strict";
import type { WorkerMessage } from "../../../src/dataplane/orders.ts";
import { SharedState } from "../../../src/dataplane/shared/state.ts";
import { createWorkerLogger } from "../../../src/dataplane/worker_log.ts";

Deno.test("createWorkerLogger() posts what its level allows", () => {
  const shared = new SharedState(1);
  const posted: WorkerMessage[] = [];
  const log = createWorkerLogger({
    level: "warn",
    worker: 0,
    shared,
    post: (message) => posted.push(message),
  });
  log.error("a", { port: 1 });
  log.warn("b");
  log.info("c");
  log.debug("d");
  assert.deepEqual(posted, [
    { kind: "log", level: "error", message: "a", fields: { port: 1 } },
    { kind: "log", level: "warn", message: "b", fields: {} },
  ]);
  assert.deepEqual([log.enabled("warn"), log.enabled("info")], [true, false]);
});

Deno.test("createWorkerLogger() drops and counts lines while a thousand are under way", () => {
  const shared = new SharedState(2);
  let posted = 0;
  const log = createWorkerLogger({ level: "info", worker: 1, shared, post: () => posted++ });
  for (let i = 0; i < 1005; i++) log.info("flood");
  assert.equal(posted, 1000);
  assert.equal(shared.sums().logsDropped, 5);
  shared.addPendingLogs(-1); // the main thread has written one
  log.info("again");
  assert.equal(posted, 1001);
});

Deno.test("WorkerLogger.setLevel() counts from the next line on", () => {
  const posted: WorkerMessage[] = [];
  const log = createWorkerLogger({
    level: "error",
    worker: 0,
    shared: new SharedState(1),
    post: (message) => posted.push(message),
  });
  log.debug("a");
  log.setLevel("debug");
  log.debug("b");
  assert.deepEqual([log.level, log.enabled("debug")], ["debug", true]);
  log.setLevel("warn");
  log.info("c");
  assert.deepEqual(posted, [{ kind: "log", level: "debug", message: "b", fields: {} }]);
});
