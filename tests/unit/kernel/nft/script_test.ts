import assert from "node:assert/strict";
import { renderScript } from "../../../../src/kernel/nft/script.ts";
import { planInstall } from "../../../../src/kernel/plan/plan.ts";
import { configWith, ROUTER } from "../support/view.ts";

Deno.test("renderScript() names a foreign route instead of adding it, and removes an earlier install of both families", () => {
  const foreign = { family: "ipv4", destination: "default", protocol: 3, deliversLocally: true } as const;
  const plan = planInstall(configWith({ families: ["ipv4"] }), { ...ROUTER, foreignRoutes: [foreign] });
  const script = renderScript(plan, { origin: "test.yaml" });
  assert.doesNotMatch(script, /^ip -4 route add/m);
  assert.match(script, /^# already there, made by another program: ip -4 route add local default/m);
  assert.match(script, /^while ip -6 rule del priority 500 protocol 50/m);
});
