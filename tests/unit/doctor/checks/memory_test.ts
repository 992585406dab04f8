import assert from "node:assert/strict";
import { judgeMemory } from "../../../../src/doctor/checks/memory.ts";
import type { MemoryFacts } from "../../../../src/doctor/machine/program.ts";

const MIB = 1 << 20;

function judge(mebibytes: number, of: "machine" | "cgroup", workers = 1): ReturnType<typeof judgeMemory>[0] {
  const facts: MemoryFacts = { workers, reason: "2 processors", memory: { bytes: mebibytes * MIB, of } };
  return judgeMemory(facts)[0];
}

Deno.test("judgeMemory() tells the workers, and why there are so many", () => {
  assert.equal(judge(256, "machine").what, "memory of the machine: 256 MiB; 1 worker (2 processors)");
  assert.equal(judge(256, "machine").state, "works");
  assert.deepEqual(judgeMemory({ workers: 1, reason: "", memory: undefined }), []);
});

Deno.test("judgeMemory() warns where the kernel may kill the proxy: a machine needs more than a cgroup", () => {
  assert.equal(judge(64, "cgroup").state, "works");
  assert.equal(judge(48, "cgroup").state, "warning");
  assert.match(judge(48, "cgroup").remedy, /MemoryMax/);
  assert.equal(judge(120, "machine").state, "works");
  assert.equal(judge(96, "machine").state, "warning");
  assert.equal(judge(64, "cgroup", 4).state, "warning");
  assert.match(judge(64, "cgroup", 4).remedy, /workers: 1/);
});
