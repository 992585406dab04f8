import assert from "node:assert/strict";
import { judgeBridgeFilter } from "../../../../src/doctor/checks/bridge_filter.ts";
import type { Sysctl } from "../../../../src/doctor/machine/sysctl.ts";
import { processOf, situationWith, troubles } from "../support/machine.ts";

function sysctl(name: string, value: string | undefined): Sysctl {
  return { name, value, setBy: [] };
}

Deno.test("judgeBridgeFilter() minds it where a bridge is intercepted", () => {
  const facts = {
    ipv4: sysctl("net.bridge.bridge-nf-call-iptables", "1"),
    ipv6: sysctl("net.bridge.bridge-nf-call-ip6tables", undefined),
  };
  const docker = situationWith({ processes: [processOf("dockerd")] });
  const findings = judgeBridgeFilter(facts, docker);
  assert.deepEqual(troubles(findings), ["! warning bridge-nf-ipv4"]);
  assert.match(findings[0].cause, /of br-lan .*perhaps set by dockerd/);
  assert.match(findings[0].remedy, /bridge-nf-call-iptables=0/);
  assert.match(judgeBridgeFilter(facts, situationWith())[0].cause, /default once .* br_netfilter is loaded$/);
  assert.deepEqual(troubles(judgeBridgeFilter(facts, situationWith({ lan: ["eth1"] }))), []);
});
