import assert from "node:assert/strict";
import { parseConfig, planInstall } from "../../../src/library/plan.ts";
import { ROUTER } from "../kernel/support/view.ts";

const NETWORKS = Array.from({ length: 1500 }, (_, i) => `10.${i >> 8}.${i & 255}.0/25`);

function planWith(backend: string) {
  const rules = [{ to: NETWORKS, action: "bypass" }];
  return planInstall(parseConfig(JSON.stringify({ version: 1, kernel: { backend }, rules }), "test"), ROUTER);
}

Deno.test("planInstall() warns of what its backend cannot do well", () => {
  assert.deepEqual(planWith("netlink").warnings, []);
  assert.match(planWith("iptables").warnings.join(), /1500 networks one after another/);
});

Deno.test("InstallPlan.script() is of nft by default, and of iptables where that is asked for", () => {
  const plan = planWith("netlink");
  assert.match(plan.script({ origin: "x" }), /^nft -f - <<'END'$/m);
  assert.match(plan.script({ origin: "x", format: "iptables" }), /\| iptables-restore --noflush/);
});
