/**
 * Routing rules of others that go by the clients' interface or by a mark: taken early, the proxy's own
 * connections have neither, and leave by another way. Pure.
 * @module
 */
import type { RoutingRule } from "../../netlink/route/rule.ts";
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import { describeProtocol, describeRule, type RoutingFacts, tableOf } from "../machine/routing.ts";
import { marksOf, overlaps, type Situation } from "../situation.ts";

/** The check. */
export const policyRoutes: Check<RoutingFacts> = {
  id: "policy-routes",
  read: ({ routing }) => routing(),
  judge: judgePolicyRoutes,
};

/** Makes a finding for each rule. */
export function judgePolicyRoutes(facts: RoutingFacts, situation: Situation): Finding[] {
  const id = "policy-routes";
  const { intercepted } = marksOf(situation);
  const asks = (rule: RoutingRule) =>
    rule.iifname !== undefined && situation.lan.includes(rule.iifname) ||
    rule.mask !== 0 && rule.mark !== 0 && rule.inverted !== true && !overlaps(rule, intercepted);
  const found = facts.rules.filter((rule) =>
    situation.families.includes(rule.family) && asks(rule) &&
    tableOf(rule, facts)?.deliversLocally === false
  );
  if (found.length === 0) return [works(id, "no routing rule of others goes by clients' interface or mark")];
  return found.map((rule) => {
    const what = `the routing rule ${describeRule(rule)}`;
    if (situation.admission.inForce === "forward-path") return works(id, what, "the proxy follows it");
    return warning(id, {
      what,
      cause: `The proxy's connections come in nowhere and have no such mark: they leave by another way; ${
        describeProtocol(rule.protocol)
      }`,
      remedy:
        "Set intercept.admission to forward-path, or have the rule ask for the clients' addresses (from)",
    });
  });
}
