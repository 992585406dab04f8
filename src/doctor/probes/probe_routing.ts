/**
 * Tries policy routing: a rule that asks for a mark, a route that delivers locally, and whether the kernel
 * follows them.
 * @module
 */
import { ROUTE_PROTOCOL, RULE_PRIORITY } from "../../constants.ts";
import { OperationError } from "../../net/error.ts";
import { type Family, formatIp, parseIp } from "../../net/ip.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { addRoute, deleteRoute } from "../../netlink/route/route.ts";
import { lookUpRoute } from "../../netlink/route/route_question.ts";
import { addRule, deleteRule, type RoutingRule } from "../../netlink/route/rule.ts";
import { toRoute } from "../../kernel/routing/state.ts";
import { attempt, type ProbeResult } from "./probe.ts";

/** Addresses of nobody: TEST-NET-1, and the documentation prefix of IPv6. */
const DESTINATIONS: Readonly<Record<Family, string>> = { ipv4: "192.0.2.1", ipv6: "2001:db8::1" };

/** Numbers that nobody else uses, so that no packet is touched in the router's own namespace either. */
export interface RoutingProbeNumbers {
  /** A whole fwmark, all 32 bits. */
  readonly mark: number;
  /** A routing table. */
  readonly table: number;
}

/** Makes the rule and the route, asks the kernel, and removes both. lo must be up. */
export function probeRouting(
  connection: NetlinkConnection,
  options: RoutingProbeNumbers & { family: Family },
): ProbeResult {
  const { family, mark, table } = options;
  // With protocol and priority of an install: if we are killed here, "tproxy uninstall" removes them.
  const rule: RoutingRule = {
    family,
    priority: RULE_PRIORITY,
    mark,
    mask: 0xffffffff,
    table,
    protocol: ROUTE_PROTOCOL,
    iifname: "lo",
  };
  const route = toRoute({ family, table, protocol: ROUTE_PROTOCOL, foreign: false });
  return attempt(`policy-routing-${family}`, () => {
    // The rule first: a kernel without policy routing would put the route into the main table.
    addRule(connection, rule);
    try {
      addRoute(connection, route);
      try {
        expectLocal(connection, { family, mark });
      } finally {
        deleteRoute(connection, route);
      }
    } finally {
      deleteRule(connection, rule);
    }
  });
}

function expectLocal(
  connection: NetlinkConnection,
  { family, mark }: { family: Family; mark: number },
): void {
  const to = parseIp(DESTINATIONS[family])!;
  const { type } = lookUpRoute(connection, { to, mark });
  if (type === "local") return;
  throw new OperationError({
    operation: "deliver locally",
    object: formatIp(to),
    reason: `the kernel does not follow the rule, its route is of type ${type}`,
  });
}
