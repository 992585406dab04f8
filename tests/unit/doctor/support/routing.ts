/** Policy routing of other programs, for tests. */
import type { RoutingFacts } from "../../../../src/doctor/machine/routing.ts";
import type { RoutingRule } from "../../../../src/netlink/route/rule.ts";

/** A rule of another program: mark 1 leads to table 200. */
export function rule(more: Partial<RoutingRule> = {}): RoutingRule {
  return { family: "ipv4", priority: 1000, mark: 1, mask: 0xffffffff, table: 200, protocol: 3, ...more };
}

/** The rule of an install in its usual place. */
export function ourRule(more: Partial<RoutingRule> = {}): RoutingRule {
  return rule({ priority: 500, mask: 1, iifname: "br-lan", table: 100, protocol: 50, ...more });
}

/** Those rules on a router where an install is in force in IPv4. */
export function installedWith(...rules: RoutingRule[]): RoutingFacts {
  return { ...routingOf(...rules), ours: [ourRule()] };
}

/** Table 100 is that of an install, table 200 leads elsewhere, others hold nothing. */
export function routingOf(...rules: RoutingRule[]): RoutingFacts {
  const tables = (["ipv4", "ipv6"] as const).flatMap((family) => [
    { family, table: 100, deliversLocally: true },
    { family, table: 200, deliversLocally: false },
  ]);
  return { rules, ours: [], tables };
}
