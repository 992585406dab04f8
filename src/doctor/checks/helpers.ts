/**
 * Flows that rules give to helpers of conntrack (active FTP, SIP, PPTP, TFTP). Pure.
 * @module
 */
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import { assignsHelper } from "../firewall/effects.ts";
import { describeChain, describeOwner } from "../firewall/firewall.ts";
import { describeRule } from "../firewall/judge_chain.ts";
import { findForClients } from "../firewall/subjects.ts";
import type { FirewallFacts } from "../machine/firewalls.ts";
import type { Situation } from "../situation.ts";

/** The check. */
export const helpers: Check<FirewallFacts> = {
  id: "helpers",
  read: ({ firewalls }) => firewalls(),
  judge: judgeHelpers,
};

/** Makes a finding for each rule. */
export function judgeHelpers(facts: FirewallFacts, situation: Situation): Finding[] {
  const id = "helpers";
  const hooks = ["prerouting", "forward"] as const;
  const found = findForClients(facts, { hooks, does: assignsHelper }, situation);
  if (found.length === 0) return [works(id, "no rule gives clients' flows to a helper of conntrack")];
  return found.map(({ of, rule }) => {
    const what = `${describeRule(of, rule)}, ${describeChain(of)}`;
    if (situation.admission.inForce === "forward-path") return works(id, what, "such flows are forwarded");
    return warning(id, {
      what,
      cause:
        `The helper does not see flows that the proxy takes: with NAT, active FTP, SIP, PPTP and TFTP fail${
          describeOwner(of)
        }`,
      remedy: "Let these ports pass by a rule with action bypass, or set intercept.admission to forward-path",
    });
  });
}
