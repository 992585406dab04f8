/** Findings of `tproxy doctor` on a router whose own traffic is intercepted. */
import assert from "node:assert/strict";
import { doctor, findTrouble } from "../../laboratory/proxy/doctor.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import type { ConfigText } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { curl, routerConfig, startRouterProxy } from "../../laboratory/proxy/router_proxy.ts";

const CONFIG: ConfigText = routerConfig({ intercept: { protocols: ["tcp"] } });

labTest("doctor knows whether the firewall lets the router's own flows come in from lo", {
  programs: ["curl", "nginx"],
}, async (lab) => {
  const nginx = await startNginx(lab);
  await startRouterProxy(lab);
  const passes = async () => {
    const codes = [await curl(lab.router, nginx.url(4)), await curl(lab.router, nginx.url(6))];
    assert.equal(codes[0], codes[1]);
    return codes[0] === 0;
  };
  for (const [rules, passed] of [["iif lo accept", true], ["ct state established accept", false]] as const) {
    await lab.router.nft(`
      table inet filter
      delete table inet filter
      table inet filter {
        chain input {
          type filter hook input priority 0; policy drop;
          meta l4proto { icmp, icmpv6 } accept
          iifname { r0, r1 } accept
          ${rules}
        }
      }`);
    assert.equal(await passes(), passed, rules);
    const report = await doctor(lab, { config: CONFIG });
    assert.deepEqual(report.troubles, passed ? [] : ["! warning input-chains"]);
    if (passed) continue;
    const { cause, remedy } = findTrouble(report, "input-chains");
    assert.match(cause, /tcp that the proxy sends to itself through lo/);
    await lab.router.run(remedy.split(";")[0].split(" "));
    assert.equal(await passes(), true, remedy);
    assert.deepEqual((await doctor(lab, { config: CONFIG })).troubles, []);
  }
});

labTest("doctor tells who else asks for the marks of the router's own traffic", {}, async (lab) => {
  const config = CONFIG;
  await startRouterProxy(lab);
  assert.deepEqual((await doctor(lab, { config })).troubles, []);
  // The mark of the proxy's sockets towards servers: it would lead them elsewhere.
  await lab.router.ip("rule add priority 400 fwmark 0x8/0x8 lookup 77");
  const { troubles } = await doctor(lab, { config });
  assert.equal(troubles.length, 1);
  assert.match(troubles[0], /warning mark-users/);
  const without = { ...config, intercept: { protocols: ["tcp"] } };
  assert.deepEqual(
    (await doctor(lab, { config: without })).troubles.filter((t) => t.includes("mark-users")),
    [],
  );
});
