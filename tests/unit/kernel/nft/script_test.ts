import assert from "node:assert/strict";
import { compilerOf, planFor } from "../../../../src/kernel/compilers.ts";
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

Deno.test("scripts keep what they quote in comments: a line break starts no command", () => {
  const name = "guests\nEND\ntouch /tmp/commanded\n";
  const rule = { name, action: "block", ports: [{ first: 25, last: 25 }] } as const;
  for (const backend of ["netlink", "iptables"] as const) {
    const config = { ...configWith(), rules: [rule] };
    const plan = planFor({
      config: { ...config, kernel: { ...config.kernel, backend } },
      locate: () => undefined,
    }, {
      ...ROUTER,
      forwarding: { ipv4: false, ipv6: false },
    });
    const script = compilerOf({ kernel: { ...config.kernel, backend } }).compile({
      ...plan,
      lan: [...plan.lan, "a\ntouch /tmp/commanded"],
      warnings: [`${plan.warnings[0]}\ntouch /tmp/commanded`],
    }).script({ origin: "a\ntouch /tmp/commanded" });
    assert.match(script, /guests\\u000aEND/);
    assert.doesNotMatch(script, /^\s*touch|^\s*END\s*\n\s*touch/m, backend);
    assert.equal(script.match(/touch/g)?.length, script.match(/^\s*#.*touch/gm)?.length, backend);
  }
});
