/**
 * Flows that rules give to helpers of conntrack (active FTP, SIP, PPTP, TFTP). Pure.
 * @module
 */
import type { Check } from "../check.ts";
import type { Finding } from "../finding.ts";
import { assignsHelper } from "../firewall/effects.ts";
import { judgeEarlyRules } from "../firewall/early_rules.ts";
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
  const hooks = ["prerouting", "forward"] as const;
  const found = findForClients(facts, { hooks, does: assignsHelper }, situation);
  return judgeEarlyRules(found, {
    id: "helpers",
    none: "no rule gives clients' flows to a helper of conntrack",
    harmless: "such flows are forwarded",
    cause:
      "The helper does not see flows that the proxy takes: with NAT, active FTP, SIP, PPTP and TFTP fail",
    remedy: "Let these ports pass by a rule with action bypass, or set intercept.admission to forward-path",
  }, situation);
}
