/**
 * An uninstall tells a running proxy that it is one, and no accident that the proxy should mend: before it
 * removes anything it adds a routing rule that does nothing, and removes it last. Pure.
 * @module
 */
import { ROUTE_PROTOCOL, RULE_PRIORITY } from "../../constants.ts";
import type { RoutingRule } from "../../netlink/route/rule.ts";
import { RULE_ACTIONS } from "../../netlink/route/rule_action.ts";

/** `ip rule add priority 500 nop protocol 50` */
export const ANNOUNCEMENT: RoutingRule = {
  family: "ipv4",
  priority: RULE_PRIORITY,
  protocol: ROUTE_PROTOCOL,
  action: RULE_ACTIONS.nop,
  table: 0,
  mark: 0,
  mask: 0,
};

/** Tells whether a rule is the announcement. */
export function announcesUninstall({ protocol, action }: RoutingRule): boolean {
  return protocol === ROUTE_PROTOCOL && action === RULE_ACTIONS.nop;
}
