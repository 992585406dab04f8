import assert from "node:assert/strict";
import { countWorkers } from "../../../../src/dataplane/sizing/worker_count.ts";

const MB = 1_000_000;

Deno.test("countWorkers() does what the config says, whatever the machine has", () => {
  const poor = { processors: 1, memory: { bytes: 64 * MB, of: "machine" as const }, connections: null };
  assert.deepEqual(countWorkers(4, poor), { workers: 4, reason: "listener.workers" });
});

for (
  const [megabytes, processors, workers] of [
    [96, 4, 1],
    [256, 4, 1],
    [383.9, 2, 1],
    [384, 1, 1],
    [384, 2, 2],
    [384, 4, 2],
    [512, 8, 2],
    [999.9, 4, 2],
    [1000, 4, 4],
    [1000, 2, 2],
    [32_000, 16, 16],
  ]
) {
  Deno.test(`countWorkers() of auto with ${megabytes} MB and ${processors} processors is ${workers}`, () => {
    const memory = { bytes: megabytes * MB, of: "machine" as const };
    assert.equal(countWorkers("auto", { processors, memory, connections: "auto" }).workers, workers);
  });
}

Deno.test("countWorkers() of auto goes by the processors where the memory is unknown", () => {
  const found = countWorkers("auto", { processors: 4, memory: undefined, connections: 0 });
  assert.deepEqual(found, { workers: 4, reason: "4 processors" });
});

Deno.test("countWorkers() names what bounds the number", () => {
  const bounded = (bytes: number, of: "machine" | "cgroup", processors: number) =>
    countWorkers("auto", { processors, memory: { bytes, of }, connections: "auto" }).reason;
  assert.equal(bounded(268_435_456, "cgroup", 2), "memory of the cgroup: 256 MiB");
  assert.equal(bounded(512 * MB, "machine", 4), "memory of the machine: 488 MiB");
  // As many as there are processors: the memory bounds nothing.
  assert.equal(bounded(512 * MB, "machine", 2), "2 processors");
  assert.equal(bounded(128 * MB, "machine", 1), "1 processor");
});

Deno.test("countWorkers() has no worker to which few connections would come", () => {
  const count = (wanted: "auto" | number, connections: number) =>
    countWorkers(wanted, { processors: 4, memory: undefined, connections });
  assert.deepEqual(count(4, 3), { workers: 1, reason: "limits.connections: 3" });
  assert.deepEqual(count("auto", 47), { workers: 2, reason: "limits.connections: 47" });
  assert.deepEqual(count(4, 64), { workers: 4, reason: "listener.workers" });
  assert.deepEqual(count(1, 1), { workers: 1, reason: "listener.workers" });
});
