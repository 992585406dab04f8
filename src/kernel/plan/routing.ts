/**
 * Policy routing: the rules and routes that deliver what is marked to this machine. Pure.
 * @module
 */
import { LOOPBACK, ROUTE_PROTOCOL, RULE_PRIORITY } from "../../constants.ts";
import { OperationError } from "../../net/error.ts";
import type { Family } from "../../net/ip.ts";
import type { PlannedRoute, PlannedRoutingRule } from "./model.ts";
import type { Scope } from "./scope.ts";
import type { ForeignRoute } from "./view.ts";

/**
 * Plans a rule for each interface, and one for what comes in from the loopback interface: what the router
 * itself sends, and clients' first packets that have been held. None where nothing is brought to a socket: a
 * single rule costs every packet of the machine a look at all of them.
 */
export function planRoutingRules(
  { families, marks, routingTable, ownTraffic, admission, brings }: Scope,
  interfaces: readonly string[],
): PlannedRoutingRule[] {
  if (!brings) return [];
  const rule = (family: Family, mark: number, inputInterface: string): PlannedRoutingRule => ({
    family,
    priority: RULE_PRIORITY,
    mark,
    mask: mark,
    inputInterface,
    table: routingTable,
    protocol: ROUTE_PROTOCOL,
  });
  return families.flatMap((family) => [
    ...interfaces.map((name) => rule(family, marks.intercepted, name)),
    // With the mark of clients' traffic, `src_valid_mark` would take that for the router's own.
    ...(ownTraffic || admission === "forward-path" ? [rule(family, marks.router, LOOPBACK)] : []),
  ]);
}

/**
 * Plans a route for each family, where packets are brought to sockets. Throws an OperationError where another
 * program uses the routing table for something else.
 */
export function planRoutes(
  { families, routingTable, brings }: Scope,
  foreignRoutes: readonly ForeignRoute[],
): PlannedRoute[] {
  if (!brings) return [];
  return families.map((family) => {
    const foreign = foreignRoutes.filter((route) => route.family === family);
    const conflict = foreign.find((route) => !route.deliversLocally);
    if (conflict !== undefined) throw inUse(routingTable, conflict);
    const same = foreign.some((route) => route.destination === "default");
    return { family, table: routingTable, protocol: ROUTE_PROTOCOL, foreign: same };
  });
}

function inUse(table: number, { family, destination, protocol }: ForeignRoute): OperationError {
  return new OperationError({
    operation: "use routing table",
    object: String(table),
    reason: `another program has a route to ${destination} in it (protocol ${protocol})`,
    hint: `See "ip ${family === "ipv6" ? "-6 " : ""}route show table ${table}" and set kernel.table ` +
      "in the config to a number that nobody uses",
  });
}
