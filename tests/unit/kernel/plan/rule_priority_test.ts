import assert from "node:assert/strict";
import { chooseRulePriority, warnRulePriority } from "../../../../src/kernel/plan/rule_priority.ts";
import { planInstall } from "../../../../src/kernel/plan/plan.ts";
import { configWith, ROUTER } from "../support/view.ts";

Deno.test("chooseRulePriority() comes before the first rule of others, and never to 0", () => {
  const at = (firstForeignRule: number) => chooseRulePriority({ ...ROUTER, firstForeignRule });
  assert.equal(chooseRulePriority(ROUTER), 500);
  assert.deepEqual([5210, 501, 500, 499, 220, 2, 1, 0].map(at), [500, 500, 499, 498, 219, 1, 1, 1]);
  assert.equal(warnRulePriority({ ...ROUTER, firstForeignRule: 2 }).length, 0);
  assert.equal(warnRulePriority({ ...ROUTER, firstForeignRule: 1 }).length, 1);
});

Deno.test("planInstall() gives its routing rules that priority", () => {
  const { routingRules } = planInstall(configWith(), { ...ROUTER, firstForeignRule: 220 });
  assert.deepEqual([...new Set(routingRules.map(({ priority }) => priority))], [219]);
});
