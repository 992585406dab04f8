/**
 * Transparent sockets for Deno programs on Linux: listen for connections that the kernel steers here, learn where they were
 * going, and dial from any address. Waiting costs nothing: there is one epoll for all sockets.
 *
 * Loads with `--allow-ffi`, and needs nothing else. Transparent sockets need root, or CAP_NET_ADMIN and CAP_NET_RAW, and the
 * kernel's rules, which `@tproxy/tproxy/install` makes.
 *
 * @example A proxy that nobody sees: servers see the client's address, the client sees the server's.
 * ```ts ignore
 * import { dialTransparent, listenTransparent, type TransparentConnection } from "@tproxy/tproxy";
 *
 * async function relay(client: TransparentConnection) {
 *   const server = await dialTransparent({ to: client.destination, from: client.client });
 *   await Promise.all([client.readable.pipeTo(server.writable), server.readable.pipeTo(client.writable)]);
 * }
 *
 * using listener = listenTransparent({ port: 50080 });
 * for await (const client of listener) relay(client).catch(() => client.close());
 * ```
 * @module
 */
export { TransparentConnection } from "./src/library/sockets/connection.ts";
export { type DialOptions, dialTransparent } from "./src/library/sockets/dial.ts";
export { type ListenOptions, listenTransparent, TransparentListener } from "./src/library/sockets/listen.ts";
export {
  type Endpoint,
  type Family,
  formatEndpoint,
  type IpAddress,
  parseEndpoint,
  parseIp,
} from "./src/net/ip.ts";
<<<<<<< HEAD
export { OperationError } from "./src/net/error.ts";
=======
export { OperationError, type OperationFailure } from "./src/net/error.ts";

export { type NetlinkProtocol, openNetlink } from "./src/netlink/transport.ts";
export {
  type BatchCommand,
  NetlinkConnection,
  type NetlinkTransport,
  type Purpose,
} from "./src/netlink/connection.ts";
export type { NetlinkAnswer, NetlinkMessage, NetlinkRequest } from "./src/netlink/message.ts";
export { type Link, listLinks } from "./src/netlink/route/link.ts";
export { addAddress, type LinkAddress, listAddresses } from "./src/netlink/route/address.ts";
export {
  addRule as addRoutingRule,
  deleteRule as deleteRoutingRule,
  listRules as listRoutingRules,
  type RoutingRule,
} from "./src/netlink/route/rule.ts";
export { addRoute, deleteRoute, listRoutes, type Route } from "./src/netlink/route/route.ts";
export { lookUpRoute, type RouteQuestion } from "./src/netlink/route/route_question.ts";
export type { RouteType } from "./src/netlink/route/route_type.ts";
export type { Encapsulation, NextHop, Way } from "./src/netlink/route/next_hop.ts";
export type { Realms } from "./src/netlink/route/realms.ts";
export type { RuleAction } from "./src/netlink/route/rule_action.ts";
export type {
  MaskedNumber,
  NumberRange,
  PortSelector,
  RuleSelectors,
} from "./src/netlink/route/rule_selectors.ts";
export type { Attribute } from "./src/netlink/attribute.ts";
export { type BatchSet, NftBatch } from "./src/netlink/nft/batch.ts";
export { listTables, type NftTable, type TableFlag, type TableName } from "./src/netlink/nft/table.ts";
export {
  type BaseChain,
  type ChainName,
  type ChainPolicy,
  type Hook,
  listChains,
  type NftChain,
} from "./src/netlink/nft/chain.ts";
export { listSets, type NftSet, type SetFlag, type SetName } from "./src/netlink/nft/sets/set.ts";
export { listElements, type NftElement } from "./src/netlink/nft/sets/element.ts";
export type { KeyRange } from "./src/netlink/nft/sets/interval.ts";
export { listRules, type NftRule, type RuleHandle } from "./src/netlink/nft/rule.ts";
export type { NftExpression, UnknownExpression } from "./src/netlink/nft/expression.ts";
export type { NftFamily } from "./src/netlink/nft/message.ts";
export type { NftDataType } from "./src/netlink/nft/sets/set_type.ts";
export type { Verdict, VerdictCode } from "./src/netlink/nft/data.ts";
export type { BitwiseExpression } from "./src/netlink/nft/expr/bitwise.ts";
export type { CmpExpression, CmpOperator } from "./src/netlink/nft/expr/cmp.ts";
export type { CounterExpression } from "./src/netlink/nft/expr/counter.ts";
export type { CtExpression, CtKey } from "./src/netlink/nft/expr/ct.ts";
export type { DynsetExpression, DynsetOperation } from "./src/netlink/nft/expr/dynset.ts";
export type { FibExpression, FibFlag, FibResult } from "./src/netlink/nft/expr/fib.ts";
export type { ImmediateExpression, VerdictExpression } from "./src/netlink/nft/expr/immediate.ts";
export type { LookupExpression } from "./src/netlink/nft/expr/lookup.ts";
export type { MasqueradeExpression } from "./src/netlink/nft/expr/masquerade.ts";
export type { MetaExpression, MetaKey } from "./src/netlink/nft/expr/meta.ts";
export type { NotrackExpression } from "./src/netlink/nft/expr/notrack.ts";
export type { PayloadBase, PayloadExpression } from "./src/netlink/nft/expr/payload.ts";
export type { RangeExpression } from "./src/netlink/nft/expr/range.ts";
export type { RejectExpression, RejectType } from "./src/netlink/nft/expr/reject.ts";
export type { SocketExpression, SocketKey } from "./src/netlink/nft/expr/socket.ts";
export type { TproxyExpression, TproxyFamily } from "./src/netlink/nft/expr/tproxy.ts";

export type { ConfigPath, Position } from "./src/config/yaml_source.ts";
export { type LoadedConfig, loadText } from "./src/config/load.ts";
export { DEFAULT_CONFIG } from "./src/config/defaults.ts";
export type * from "./src/config/types.ts";
export type { LogLevel } from "./src/log.ts";
export { type KernelConnections, withKernel } from "./src/kernel/machine/connections.ts";
export type { InstallReport, Removal } from "./src/kernel/backend/backend.ts";
export { uninstall } from "./src/kernel/backends.ts";
export type { ReadTextFile } from "./src/kernel/machine/machine.ts";
export { applyInstall } from "./src/kernel/nft/install.ts";
export { type NetworkSource, readNetwork } from "./src/kernel/network.ts";
export { planInstall, type PlanOptions } from "./src/kernel/plan/plan.ts";
export type { ForeignRoute, NetworkView, ViewedLink } from "./src/kernel/plan/view.ts";
export type * from "./src/kernel/plan/model.ts";
export type * from "./src/kernel/plan/rules/condition.ts";
export type { Effect } from "./src/kernel/plan/rules/effect.ts";
export type { InterfaceGroup } from "./src/kernel/plan/rules/interface_match.ts";
export type { MatchedRule } from "./src/kernel/plan/rules/rule_matches.ts";
export type * from "./src/kernel/plan/rules/set.ts";
export type { Scope } from "./src/kernel/plan/scope.ts";
export type { Conditions } from "./src/policy/conditions.ts";
export type { KernelRule } from "./src/policy/kernel_share.ts";
export type { Outcome } from "./src/policy/outcome.ts";
export type { Marks } from "./src/marks.ts";
export { compileTable } from "./src/kernel/nft/compile.ts";
export type * from "./src/kernel/nft/model.ts";
>>>>>>> main
