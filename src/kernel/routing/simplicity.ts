/**
 * Routing that is simple: what a packet's way depends on besides its destination. Pure.
 * @module
 */
import type { Route } from "../../netlink/route/route.ts";
import type { RoutingRule } from "../../netlink/route/rule.ts";
import { isForeignRule } from "./ours.ts";

/** The sum of a router's rules and routes. */
export interface RoutingKind {
  /** The way of a packet depends on its destination alone. */
  readonly simple: boolean;
  /** Ways may depend on ports. */
  readonly byPort: boolean;
}

/** Judges the rules and routes of a machine. */
export function judgeRouting(rules: readonly RoutingRule[], routes: readonly Route[]): RoutingKind {
  const foreign = rules.filter(isForeignRule);
  const several = routes.some(({ nextHops }) => (nextHops?.length ?? 0) > 1);
  return {
    simple: foreign.length === 0 && !several,
    // The kernel may choose among several ways by ports, too.
    byPort: several || foreign.some(asksForPorts),
  };
}

function asksForPorts({ sourcePorts, destinationPorts, others }: RoutingRule): boolean {
  return sourcePorts !== undefined || destinationPorts !== undefined || others !== undefined;
}
