/**
 * Policy routing as `ip` commands. Pure.
 * @module
 */
import { ROUTE_PROTOCOL, RULE_PRIORITY } from "../../constants.ts";
import type { Family } from "../../net/ip.ts";
import type { PlannedRoute, PlannedRoutingRule } from "../plan/model.ts";

/** `ip -4 rule add priority 500 fwmark 0x1/0x1 iif 'r0' lookup 100 protocol 50` */
export function renderRoutingRule(rule: PlannedRoutingRule): string {
  const mark = `0x${rule.mark.toString(16)}/0x${rule.mask.toString(16)}`;
  return `ip ${familyOption(rule.family)} rule add priority ${rule.priority} fwmark ${mark} ` +
    `iif ${quoteForShell(rule.inputInterface)} lookup ${rule.table} protocol ${rule.protocol}`;
}

/** `ip -4 route add local default dev lo table 100 protocol 50` */
export function renderRoute(route: PlannedRoute): string {
  return `ip ${familyOption(route.family)} route add local default dev lo table ${route.table} ` +
    `protocol ${route.protocol}`;
}

/** Commands that remove the rules and routes of any earlier install, and nothing else. */
export function renderRoutingRemoval(family: Family): string[] {
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
