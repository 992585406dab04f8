/**
 * Masquerade that asks where a packet came in, or for its mark: taken early, the proxy's connections have
 * neither, and leave with private addresses. Pure.
 * @module
 */
import type { Check } from "../check.ts";
import type { Finding } from "../finding.ts";
import { asksForOrigin, masquerades as changesSource } from "../firewall/effects.ts";
import { judgeEarlyRules } from "../firewall/early_rules.ts";
import { findAny } from "../firewall/subjects.ts";
import type { FirewallFacts } from "../machine/firewalls.ts";
import type { Situation } from "../situation.ts";

/** The check. */
export const masquerades: Check<FirewallFacts> = {
  id: "masquerades",
  read: ({ firewalls }) => firewalls(),
  judge: judgeMasquerades,
};

/** Makes a finding for each rule. */
export function judgeMasquerades(facts: FirewallFacts, situation: Situation): Finding[] {
  const found = findAny(facts, {
    hooks: ["postrouting"],
    does: (expressions) => changesSource(expressions) && asksForOrigin(expressions),
  });
  return judgeEarlyRules(found, {
    id: "masquerades",
    none: "no masquerade by incoming interface or mark",
    harmless: "the proxy's connections leave as it says",
    blocks: situation.config.source !== "router",
    cause:
      "The proxy's own connections come in nowhere and have no mark of that rule: they are not masqueraded",
    remedy: "Set intercept.admission to forward-path or source to router, or masquerade by oifname alone",
  }, situation);
}
