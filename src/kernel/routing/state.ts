/**
 * Our policy-routing rules and routes as the kernel has them. Ours are known by their protocol number,
 * whatever the config says now.
 * @module
 */
import { ROUTE_PROTOCOL } from "../../constants.ts";
import { FAMILIES } from "../../net/families.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { addRoute, deleteRoute, listRoutes, type Route, ROUTE_SCOPE } from "../../netlink/route/route.ts";
import { addRule, deleteRule, type RoutingRule } from "../../netlink/route/rule.ts";
import { formatAction, formatSelectors } from "../../netlink/route/rule_text.ts";
import type { PlannedRoute, PlannedRoutingRule } from "../plan/model.ts";
import { ifFamilyExists, isOurRule, isPin, readAllRules } from "./rules.ts";

/** The interface index of lo, in every network namespace: LOOPBACK_IFINDEX, net/net_namespace.h */
export const LOOPBACK_INDEX = 1;

/** Entries of an install in policy routing. */
export interface InstalledRouting {
  readonly rules: readonly RoutingRule[];
  /** Rules of a running proxy: see dataplane/routes. */
  readonly pins?: readonly RoutingRule[];
  readonly routes: readonly Route[];
}

/**
 * All that is ours. Equivalent to: ip rule show protocol 50; ip route show table all type local protocol
 * 50
 */
export function readRouting(connection: NetlinkConnection): InstalledRouting {
  const ours = readAllRules(connection).filter(isOurRule);
  return {
    rules: ours.filter((rule) => !isPin(rule)),
    pins: ours.filter(isPin),
    routes: FAMILIES.flatMap((family) => ifFamilyExists(() => listRoutes(connection, { family })))
      .filter(isOurRoute),
  };
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

/** A planned rule in the words of netlink. */
export function toRoutingRule(rule: PlannedRoutingRule): RoutingRule {
  const { inputInterface, ...rest } = rule;
  return { ...rest, iifname: inputInterface };
}

/** A planned route in the words of netlink. */
export function toRoute({ family, table, protocol }: PlannedRoute): Route {
  return { family, table, protocol, type: "local", scope: ROUTE_SCOPE.host, outLinkIndex: LOOPBACK_INDEX };
}

/** A rule or route that can be made and removed. */
export interface RoutingEntry {
  readonly label: string;
  add(connection: NetlinkConnection): void;
  remove(connection: NetlinkConnection): void;
}

/** A rule as an entry; equal labels are equal rules. */
export function ruleEntry(rule: RoutingRule): RoutingEntry {
  return {
    label: `${rule.family} rule ${rule.priority}: ${formatSelectors(rule) || "from all"} ${
      formatAction(rule)
    }`,
    add: (connection) => addRule(connection, rule),
    remove: (connection) => deleteRule(connection, rule),
  };
}

/** A route as an entry; equal labels are equal routes, among ours. */
export function routeEntry(route: Route): RoutingEntry {
  return {
    label: `${route.family} route: local default dev lo table ${route.table}`,
    add: (connection) => addRoute(connection, route),
    remove: (connection) => deleteRoute(connection, route),
  };
}
