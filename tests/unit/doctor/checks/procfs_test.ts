import assert from "node:assert/strict";
import { judgeProcfs } from "../../../../src/doctor/checks/procfs.ts";
import { troubles } from "../support/machine.ts";

Deno.test("judgeProcfs() blocks where /proc is not mounted, and else says nothing", () => {
  assert.deepEqual(judgeProcfs(true), []);
  const [finding] = judgeProcfs(false);
  assert.deepEqual(troubles([finding]), ["! warning procfs"]);
  assert.notEqual(finding.remedy, "");
});
