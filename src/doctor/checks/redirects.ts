/**
 * Rules of others that send clients elsewhere (forced DNS, a captive portal): in the forward path they count,
 * early they do not. Pure.
 * @module
 */
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import { redirects as sendsElsewhere } from "../firewall/effects.ts";
import { describeChain, describeOwner } from "../firewall/firewall.ts";
import { describeRule } from "../firewall/judge_chain.ts";
import { findForClients } from "../firewall/subjects.ts";
import type { FirewallFacts } from "../machine/firewalls.ts";
import type { Situation } from "../situation.ts";

/** The check. */
export const redirects: Check<FirewallFacts> = {
  id: "redirects",
  read: ({ firewalls }) => firewalls(),
  judge: judgeRedirects,
};

/** Makes a finding for each rule. */
export function judgeRedirects(facts: FirewallFacts, situation: Situation): Finding[] {
  const id = "redirects";
  const found = findForClients(facts, { hooks: ["prerouting"], does: sendsElsewhere }, situation);
  if (found.length === 0) return [works(id, "no rule sends clients elsewhere (dnat, redirect)")];
  return found.map(({ of, rule }) => {
    const what = `${describeRule(of, rule)}, ${describeChain(of)}`;
    if (situation.admission.inForce === "forward-path") return works(id, what, "the proxy follows it");
    return warning(id, {
      what,
      cause: `Flows that the proxy takes do not come to it: they reach the server that the client has named${
        describeOwner(of)
      }`,
      remedy: "Set intercept.admission to forward-path, or let these flows pass by a rule with action bypass",
    });
  });
}
