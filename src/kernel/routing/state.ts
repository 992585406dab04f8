/**
 * Our policy-routing rules and routes as the kernel has them. Ours are known by their protocol number,
 * whatever the config says now.
 * @module
 */
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { addRoute, deleteRoute, type Route, ROUTE_SCOPE } from "../../netlink/route/route.ts";
import { addRule, deleteRule, type RoutingRule } from "../../netlink/route/rule.ts";
import { formatAction, formatSelectors } from "../../netlink/route/rule_text.ts";
import type { PlannedRoute, PlannedRoutingRule } from "../plan/model.ts";
import { isEcho } from "./echoes.ts";
import { isOurRoute, isOurRule, isPin, LOOPBACK_INDEX } from "./ours.ts";
import { readAllRoutes } from "./routes.ts";
import { readAllRules } from "./rules.ts";

/** Entries of an install in policy routing. */
export interface InstalledRouting {
  readonly rules: readonly RoutingRule[];
  /** Rules of a running proxy: see dataplane/routes. */
  readonly pins?: readonly RoutingRule[];
  /** The same: see echoes.ts. */
  readonly echoes?: readonly RoutingRule[];
  readonly routes: readonly Route[];
}

/**
 * All that is ours. Equivalent to: ip rule show protocol 50; ip route show table all type local protocol
 * 50
 */
export function readRouting(connection: NetlinkConnection): InstalledRouting {
  const ours = readAllRules(connection).filter(isOurRule);
  return {
    rules: ours.filter((rule) => !isPin(rule) && !isEcho(rule)),
    pins: ours.filter(isPin),
    echoes: ours.filter(isEcho),
    routes: readAllRoutes(connection).filter(isOurRoute),
  };
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
