/**
 * `udp.filtering: endpoint-independent` where the router masquerades: a stranger's datagram has no entry in
 * conntrack, so it is for the router itself and never comes to the proxy. Pure.
 * @module
 */
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import { masquerades } from "../firewall/effects.ts";
import { describeChain } from "../firewall/firewall.ts";
import { describeRule } from "../firewall/judge_chain.ts";
import { findAny } from "../firewall/subjects.ts";
import type { FirewallFacts } from "../machine/firewalls.ts";
import type { Situation } from "../situation.ts";

/** The check. */
export const udpFiltering: Check<FirewallFacts> = {
  id: "udp-filtering",
  ofBrought: true,
  read: ({ firewalls }) => firewalls(),
  judge: judgeUdpFiltering,
};

/** Makes a finding where it is asked for in vain. */
export function judgeUdpFiltering(facts: FirewallFacts, { config }: Situation): Finding[] {
  const id = "udp-filtering";
  const asked = config.intercept.protocols.includes("udp") &&
    config.udp.filtering === "endpoint-independent" && config.source !== "router";
  const found = findAny(facts, { hooks: ["postrouting"], does: masquerades });
  if (!asked || found.length === 0) return [works(id, `udp.filtering: ${config.udp.filtering}`)];
  const [{ of, rule }] = found;
  return [warning(id, {
    what: `udp.filtering: ${config.udp.filtering}, behind masquerade`,
    cause:
      `It has no effect there: ${describeRule(of, rule)}, ${describeChain(of)}, gives clients' flows the ` +
      "router's address, and what strangers send to that is for the router itself",
    remedy: "Set source to router, with which strangers reach the client, or leave it at the default",
  })];
}
