import assert from "node:assert/strict";
import { plan } from "../../../../src/doctor/checks/plan.ts";
import { OperationError } from "../../../../src/net/error.ts";
import { situationWith, troubles } from "../support/machine.ts";

Deno.test("plan: an obstacle blocks, with the words of the install", () => {
  const obstacle = new OperationError({
    operation: "intercept on interface",
    object: "br-lan",
    reason: "there is no such interface",
    hint: "This machine has eth0",
  });
  const [finding] = plan.judge(undefined, situationWith({ planned: { obstacle } }));
  assert.deepEqual(troubles([finding]), ["! warning plan"]);
  assert.equal(finding.cause, 'Cannot intercept on interface "br-lan": there is no such interface');
  assert.equal(finding.remedy, "This machine has eth0");
});
