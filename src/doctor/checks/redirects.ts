/**
 * Rules of others that send clients elsewhere (forced DNS, a captive portal): in the forward path they count,
 * early they do not. Pure.
 * @module
 */
import type { Check } from "../check.ts";
import type { Finding } from "../finding.ts";
import { redirects as sendsElsewhere } from "../firewall/effects.ts";
import { judgeEarlyRules } from "../firewall/early_rules.ts";
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
  const found = findForClients(facts, { hooks: ["prerouting"], does: sendsElsewhere }, situation);
  return judgeEarlyRules(found, {
    id: "redirects",
    none: "no rule sends clients elsewhere (dnat, redirect)",
    harmless: "the proxy follows it; what it sends to this router itself stays there, as without a proxy",
    cause: "Flows that the proxy takes do not come to it: they reach the server that the client has named",
    remedy: "Set intercept.admission to forward-path, or let these flows pass by a rule with action bypass",
  }, situation);
}
