/** Findings on the programs of iptables, and on their rules. */
import assert from "node:assert/strict";
import {
  holdsInstall,
  type IptablesFacts,
  judgeChains,
  judgePrograms,
} from "../../../../src/doctor/checks/installed_iptables.ts";
import { listXtablesNeeds, XTABLES_PARTS } from "../../../../src/doctor/probes/xtables_parts.ts";
import { planIptables } from "../../../../src/kernel/iptables/compile/plan.ts";
import type { IptablesPrograms, IptablesVariant } from "../../../../src/kernel/iptables/state/programs.ts";
import { parseSaved } from "../../../../src/kernel/iptables/state/saved.ts";
import { planInstall } from "../../../../src/kernel/plan/plan.ts";
import { configWith, ROUTER } from "../../kernel/support/view.ts";
import { situationWith, troubles } from "../support/machine.ts";

const OURS = `*raw
:PREROUTING ACCEPT [0:0]
:TPROXY_OWNER - [0:0]
-A TPROXY_OWNER -m comment --comment "made by tproxy install"
COMMIT
`;
const FOREIGN = "*mangle\n:TPROXY_DIVERT - [0:0]\nCOMMIT\n";

function programsOf(variant: IptablesVariant, missing: string[] = []): IptablesPrograms {
  const refuse = () => Promise.reject(new Error("not to be run"));
  const version = `iptables v1.8.9 (${variant})`;
  return { variant, version, name: "iptables", missing: () => missing, save: refuse, restore: refuse };
}

function factsOf(ipv4: string, variant: IptablesVariant = "nf_tables"): IptablesFacts {
  const programs = programsOf(variant);
  const chains = ipv4 === "" ? [] : [{ programs, tables: { ipv4: parseSaved(ipv4), ipv6: [] } }];
  return { programs: [programsOf("nf_tables"), programsOf("legacy")], chains, obstacle: "" };
}

const IPTABLES = situationWith({ config: configWith({}, { backend: "iptables" }) });
const NETLINK = situationWith();

Deno.test("judgePrograms() wants the programs of every family, with the backend iptables alone", () => {
  const none = { programs: [], chains: [], obstacle: "" };
  assert.deepEqual(judgePrograms(none, NETLINK), []);
  const [finding] = judgePrograms(none, IPTABLES);
  assert.deepEqual(troubles([finding]), ["! missing iptables-programs"]);
  assert.match(finding.remedy, /On Debian install the package iptables/);
  assert.deepEqual(troubles(judgePrograms(factsOf(""), IPTABLES)), []);
  const half = { ...none, programs: [programsOf("legacy", ["ip6tables-restore"])] };
  assert.match(judgePrograms(half, IPTABLES)[0].cause, /no program ip6tables-restore/);
});

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

Deno.test("listXtablesNeeds() knows every match and target that rules can use", () => {
  const builtIn = ["ACCEPT", "DROP", "RETURN"];
  const intercept = {
    protocols: ["tcp", "udp"] as const,
    ports: [{ first: 1, last: 9 }, { first: 20, last: 21 }],
    onFailure: "reset" as const,
  };
  for (const onFailure of ["open", "reset", "drop"] as const) {
    const config = configWith({ ...intercept, onFailure }, { backend: "iptables" });
    const plan = planInstall(config, ROUTER);
    const needs = listXtablesNeeds(config, plan);
    for (const { family, tables } of planIptables(plan)) {
      const texts = tables.flatMap(({ chains }) =>
        chains.flatMap(({ rules }) => rules.map(({ text }) => text))
      );
      const words = new Set(texts.flatMap((text) => text.match(/(?<=-[mj] )\S+/g) ?? []));
      const tried = needs[family].map((name) => XTABLES_PARTS[name].option) as string[];
      const untried = [...words].filter((word) => !builtIn.includes(word) && !tried.includes(word));
      assert.deepEqual(untried, [], `${family}, ${onFailure}`);
      assert.ok(tried.length >= 10);
    }
  }
});
