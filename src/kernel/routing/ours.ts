/**
 * Owners of routing rules and routes: ours are known by protocol number and form, whatever the config says
 * now. Pure.
 * @module
 */
import { ROUTE_PROTOCOL, RULE_PRIORITY } from "../../constants.ts";
import type { Route } from "../../netlink/route/route.ts";
import type { RoutingRule } from "../../netlink/route/rule.ts";
import { isNarrow } from "../../netlink/route/rule_selectors.ts";
import { isEcho } from "./echoes.ts";

/** The interface index of lo, in every network namespace: LOOPBACK_IFINDEX, net/net_namespace.h */
export const LOOPBACK_INDEX = 1;
/** The kernel's own rules: priority and table. */
const KERNEL_RULES: ReadonlyMap<number, number> = new Map([[0, 255], [32766, 254], [32767, 253]]);

/** Tells whether an install made the rule, or a running proxy. */
export function isOurRule(rule: RoutingRule): boolean {
  return (rule.protocol === ROUTE_PROTOCOL && rule.priority <= RULE_PRIORITY) || isEcho(rule);
}

/** Tells whether the rule pins what a running proxy dials: see dataplane/routes. */
export function isPin(rule: RoutingRule): boolean {
  return isOurRule(rule) && !isEcho(rule) && rule.oifname !== undefined;
}

/** Tells whether the rule is one of those that every machine has. */
function isKernelRule(rule: RoutingRule): boolean {
  return KERNEL_RULES.get(rule.priority) === rule.table && isForAll(rule);
}

/** Tells whether another program made the rule. */
export function isForeignRule(rule: RoutingRule): boolean {
  return !isKernelRule(rule) && !isOurRule(rule);
}

/** Finds the lowest priority of another program's rule. */
export function firstForeignRule(rules: readonly RoutingRule[]): number | undefined {
  const foreign = rules.filter(isForeignRule);
  return foreign.length === 0 ? undefined : Math.min(...foreign.map(({ priority }) => priority));
}

function isForAll(rule: RoutingRule): boolean {
  return rule.mark === 0 && rule.mask === 0 && rule.iifname === undefined && rule.inverted !== true &&
    rule.suppressPrefixLength === undefined && !isNarrow(rule);
}

/**
 * Tells whether a route delivers all packets to its destination to this machine, as the one of an install
 * does.
 */
export function deliversLocally(route: Route): boolean {
  const forAll = route.tos === undefined && (route.source?.length ?? 0) === 0;
  return route.type === "local" && route.outLinkIndex === LOOPBACK_INDEX && forAll;
}

/** Tells whether an install made the route. */
export function isOurRoute(route: Route): boolean {
  return route.protocol === ROUTE_PROTOCOL && isDefault(route) && deliversLocally(route);
}

/** Tells whether the route is for all addresses. */
export function isDefault(route: Route): boolean {
  return route.destination === undefined || route.destination.length === 0;
}
