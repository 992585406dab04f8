/**
 * rtnetlink: links, addresses, routing rules and routes, in the network namespace of the calling thread.
 *
 * Loads with `--allow-ffi`, and needs nothing else. To change anything needs CAP_NET_ADMIN; to list needs no
 * privilege.
 *
 * @example
 * ```ts ignore
 * import { formatRoutingRule, listRoutingRules, openNetlink } from "@tproxy/tproxy/netlink";
 *
 * using connection = openNetlink("route");
 * for (const rule of listRoutingRules(connection, "ipv4")) console.log(formatRoutingRule(rule));
 * ```
 * @module
 */
export { type NetlinkProtocol, openNetlink } from "../netlink/transport.ts";
export {
  type BatchCommand,
  NetlinkConnection,
  type NetlinkTransport,
  type Purpose,
} from "../netlink/connection.ts";
export type { NetlinkAnswer, NetlinkMessage, NetlinkRequest } from "../netlink/message.ts";
export { type Link, listLinks } from "../netlink/route/link.ts";
export { addAddress, type LinkAddress, listAddresses } from "../netlink/route/address.ts";
export {
  addRule as addRoutingRule,
  deleteRule as deleteRoutingRule,
  formatRule as formatRoutingRule,
  listRules as listRoutingRules,
  type RoutingRule,
} from "../netlink/route/rule.ts";
export { RULE_ACTIONS, type RuleAction } from "../netlink/route/rule_action.ts";
export {
  isNarrow,
  type MaskedNumber,
  type NumberRange,
  type PortSelector,
  type RuleSelectors,
} from "../netlink/route/rule_selectors.ts";
export { addRoute, deleteRoute, listRoutes, type Route, ROUTE_SCOPE } from "../netlink/route/route.ts";
export type { Encapsulation, NextHop, Way } from "../netlink/route/next_hop.ts";
export type { Realms } from "../netlink/route/realms.ts";
export type { RouteType } from "../netlink/route/route_type.ts";
export { lookUpRoute, type RouteQuestion } from "../netlink/route/route_question.ts";
export type { Attribute } from "../netlink/attribute.ts";
export type { Family, IpAddress, Prefix } from "../net/ip.ts";
export { OperationError, type OperationFailure } from "../net/error.ts";
