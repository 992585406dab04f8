/**
 * Routing rules of others that come before those of an install, and keep packets from them. Pure.
 * @module
 */
import { firstForeignRule, isPin } from "../../kernel/routing/ours.ts";
import { chooseRulePriority } from "../../kernel/plan/rule_priority.ts";
import type { Family } from "../../net/ip.ts";
import type { RoutingRule } from "../../netlink/route/rule.ts";
import { isNarrow } from "../../netlink/route/rule_selectors.ts";
import { RULE_ACTIONS } from "../../netlink/route/rule_action.ts";
import { describeProtocol, type RoutingFacts, tableOf } from "../machine/routing.ts";
import type { Situation } from "../situation.ts";

/** Tells by the interface whether packets that an install delivers come to the rule. */
export function takes({ iifname }: RoutingRule, { lan, others }: Situation): boolean {
  return iifname === undefined || [...lan, ...others].includes(iifname);
}

/** Tells whether an install is in force in a family. */
export function isInstalled(family: Family, facts: RoutingFacts): boolean {
  return prioritiesOf(family, facts).length > 0;
}

/** The first priority of the rules of an install: of the one that is there, or of one that is made now. */
export function placeOfOurs(family: Family, facts: RoutingFacts): number {
  const first = firstForeignRule(facts.rules);
  return isInstalled(family, facts)
    ? Math.min(...prioritiesOf(family, facts))
    : chooseRulePriority(first === undefined ? {} : { firstForeignRule: first });
}

/** Tells whether a rule comes before those of an install; one that shares their place was there before. */
export function comesFirst(rule: RoutingRule, facts: RoutingFacts): boolean {
  return rule.priority <= placeOfOurs(rule.family, facts);
}

/** The rules that pin what a running proxy dials come before these. */
function prioritiesOf(family: Family, { ours }: RoutingFacts): number[] {
  return ours.filter((rule) => rule.family === family && !isPin(rule)).map(({ priority }) => priority);
}

/** Tells whether a rule that takes packets away leaves some: it asks for more, or suppresses some routes. */
export function isForSome(rule: RoutingRule): boolean {
  return isNarrow(rule) || rule.suppressPrefixLength !== undefined ||
    rule.suppressInterfaceGroup !== undefined;
}

/** The cause, in words; `away`: how it takes them. */
export function describeAway(rule: RoutingRule, away: string): string {
  const some = isForSome(rule) ? ", as far as they come under it" : "";
  return `It comes before the rules of an install and ${away}${some}; ${describeProtocol(rule.protocol)}`;
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
