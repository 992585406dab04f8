import assert from "node:assert/strict";
import type { ObjectState, ObjectStatus } from "../../../../src/kernel/backend/object_status.ts";
import { isOfAnotherProxy } from "../../../../src/kernel/live/fit.ts";
import { compareTable } from "../../../../src/kernel/nft/state/status.ts";
import { planInstall } from "../../../../src/kernel/plan/plan.ts";
import { configWith, ROUTER } from "../support/view.ts";

/** A status of a real plan, in which chains and rules are as told. */
function statusWith(chains: ObjectState, rules: ObjectState): ObjectStatus[] {
  const plan = planInstall(configWith({ admission: "forward-path" }), ROUTER);
  return compareTable(plan, undefined).map((object) => ({
    ...object,
    state: object.kind === "chain" ? chains : object.kind === "rule" ? rules : "present",
  }));
}

Deno.test("isOfAnotherProxy() is true where chains are there that bring packets to somebody else", () => {
  assert.equal(isOfAnotherProxy(statusWith("present", "missing")), true);
  assert.equal(isOfAnotherProxy(statusWith("present", "present")), false);
  assert.equal(isOfAnotherProxy(statusWith("missing", "missing")), false, "nothing is installed");
});
