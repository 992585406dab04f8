/**
 * Routes that lead upstream, to the internet. Pure.
 * @module
 */
import type { Route } from "../../netlink/route/route.ts";

/** A default route, or half of one, which VPNs use to come before it (0.0.0.0/1 and 128.0.0.0/1). */
export function routeLeadsUpstream(route: Route): boolean {
  return route.type === "unicast" && (route.destination?.length ?? 0) <= 1;
}
