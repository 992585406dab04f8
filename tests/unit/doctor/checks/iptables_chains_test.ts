import assert from "node:assert/strict";
import { judgeChains } from "../../../../src/doctor/checks/iptables_chains.ts";
import { holdsInstall, type IptablesFacts } from "../../../../src/doctor/machine/iptables.ts";
import type { IptablesVariant } from "../../../../src/kernel/iptables/state/programs.ts";
import { parseSaved } from "../../../../src/kernel/iptables/state/saved.ts";
import { IPTABLES, NETLINK, programsOf } from "../support/iptables.ts";
import { troubles } from "../support/machine.ts";

const OURS = `*raw
:PREROUTING ACCEPT [0:0]
:TPROXY_OWNER - [0:0]
-A TPROXY_OWNER -m comment --comment "made by tproxy install"
COMMIT
`;
const FOREIGN = "*mangle\n:TPROXY_DIVERT - [0:0]\nCOMMIT\n";

function factsOf(ipv4: string, variant: IptablesVariant = "nf_tables"): IptablesFacts {
  const programs = programsOf(variant);
  const chains = ipv4 === "" ? [] : [{ programs, tables: { ipv4: parseSaved(ipv4), ipv6: [] } }];
  return { programs: [programsOf("nf_tables"), programsOf("legacy")], chains, obstacle: "" };
}

Deno.test("judgeChains() sees an install, another backend's install, and chains of another program", () => {
  assert.deepEqual(judgeChains(factsOf(""), "nobody", NETLINK), []);
  assert.equal(judgeChains(factsOf(""), "nobody", IPTABLES)[0].cause, "free");
  const installed = factsOf(OURS);
  assert.ok(holdsInstall(installed));
  const [fine] = judgeChains(installed, "nobody", IPTABLES);
  assert.deepEqual([fine.state, fine.cause], ["works", "installed"]);
  const others: [IptablesFacts, "nobody" | "tproxy", typeof NETLINK, RegExp][] = [
    [installed, "nobody", NETLINK, /chains TPROXY_… of iptables v1\.8\.9 \(nf_tables\)/],
    [factsOf(OURS, "legacy"), "nobody", IPTABLES, /\(legacy\)/],
    [factsOf(""), "tproxy", IPTABLES, /the table of the backend netlink/],
  ];
  for (const [facts, table, situation, cause] of others) {
    const findings = judgeChains(facts, table, situation);
    assert.deepEqual(troubles(findings), ["! warning iptables-chains"]);
    assert.match(findings[0].cause, cause);
    assert.match(findings[0].remedy, /tproxy uninstall/);
  }
  assert.ok(!holdsInstall(factsOf(FOREIGN)));
  assert.deepEqual(troubles(judgeChains(factsOf(FOREIGN), "nobody", IPTABLES)), [
    "! warning iptables-chains",
  ]);
  assert.deepEqual(troubles(judgeChains(factsOf(FOREIGN), "nobody", NETLINK)), ["warning iptables-chains"]);
  const unread = { ...factsOf(""), obstacle: "Cannot run" };
  assert.deepEqual(troubles(judgeChains(unread, "nobody", IPTABLES)), ["! warning iptables-chains"]);
});
