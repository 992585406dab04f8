/**
 * Policy routing as `ip` commands. Pure.
 * @module
 */
import { ROUTE_PROTOCOL, RULE_PRIORITY } from "../../constants.ts";
import { FAMILIES } from "../../net/families.ts";
import { hex } from "../../net/hex.ts";
import type { Family } from "../../net/ip.ts";
import type { Plan, PlannedRoute, PlannedRoutingRule } from "../plan/model.ts";

/** Renders policy routing, the same for every backend. */
export function renderRouting(plan: Plan): string[] {
  return [
    "# Policy routing comes first: from its first packet on, what is marked must be delivered.",
    `# The routes and rules of an earlier install go; they are known by protocol ${ROUTE_PROTOCOL} and priority ${RULE_PRIORITY}`,
    ...FAMILIES.flatMap(renderRoutingRemoval),
    "",
    ...(plan.routingRules.length === 0
      ? ["# Nothing is relayed, so nothing is delivered here"]
      : renderEntries(plan)),
  ];
}

function renderEntries({ routes, routingRules }: Plan): string[] {
  return [
    "# page: ip route add local 0.0.0.0/0 dev lo table 100",
    "# What is looked up in this table is delivered to this machine, whatever its destination: 0.0.0.0/0, ::/0",
    ...routes.map((route) =>
      route.foreign ? `# already there, made by another program: ${renderRoute(route)}` : renderRoute(route)
    ),
    "",
    "# page: ip rule add fwmark 1 lookup 100",
    "# What has the mark is looked up there; the other bits of the mark are other programs'. One rule for each interface:",
    "# without iif the packets would vanish where the sysctl src_valid_mark is 1 (Tailscale and wg-quick set it)",
    ...routingRules.map(renderRoutingRule),
  ];
}

/** `ip -4 rule add priority 500 fwmark 0x1/0x1 iif 'r0' lookup 100 protocol 50` */
export function renderRoutingRule(rule: PlannedRoutingRule): string {
  const mark = `${hex(rule.mark)}/${hex(rule.mask)}`;
  return `ip ${familyOption(rule.family)} rule add priority ${rule.priority} fwmark ${mark} ` +
    `iif ${quoteForShell(rule.inputInterface)} lookup ${rule.table} protocol ${rule.protocol}`;
}

/** `ip -4 route add local default dev lo table 100 protocol 50` */
function renderRoute(route: PlannedRoute): string {
  return `ip ${familyOption(route.family)} route add local default dev lo table ${route.table} ` +
    `protocol ${route.protocol}`;
}

/** Commands that remove the rules and routes of any earlier install, and nothing else. */
function renderRoutingRemoval(family: Family): string[] {
  const ip = `ip ${familyOption(family)}`;
  return [
    `while ${ip} rule del priority ${RULE_PRIORITY} protocol ${ROUTE_PROTOCOL} 2>/dev/null; do :; done`,
    `${ip} route flush table all type local exact default protocol ${ROUTE_PROTOCOL} 2>/dev/null || :`,
  ];
}

function familyOption(family: Family): string {
  return family === "ipv4" ? "-4" : "-6";
}

function quoteForShell(text: string): string {
  return /^[A-Za-z0-9_.@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
