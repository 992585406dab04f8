/**
 * Routing rules of others that come before those of an install, and keep packets from them. Pure.
 * @module
 */
import type { RoutingRule } from "../../netlink/route/rule.ts";
import { RULE_ACTIONS } from "../../netlink/route/rule_action.ts";
import { type RoutingFacts, tableOf } from "../machine/routing.ts";
import type { Situation } from "../situation.ts";

/** Tells by the interface whether packets that an install delivers come to the rule. */
export function takes({ iifname }: RoutingRule, { lan, others }: Situation): boolean {
  return iifname === undefined || [...lan, ...others].includes(iifname);
}

/** Says how a rule before those of an install, at `ours`, keeps packets from them; undefined: not at all. */
export function takesAway(rule: RoutingRule, facts: RoutingFacts, ours: number): string | undefined {
  const elsewhere = "leads intercepted packets elsewhere";
  switch (rule.action) {
    case undefined:
      return tableOf(rule, facts)?.deliversLocally === false ? elsewhere : undefined;
    case RULE_ACTIONS.goto:
      return (rule.goto ?? 0) > ours ? elsewhere : undefined;
    case RULE_ACTIONS.blackhole:
    case RULE_ACTIONS.unreachable:
    case RULE_ACTIONS.prohibit:
      return "drops intercepted packets";
    default: // nop, and what a newer kernel may add
      return undefined;
  }
}
