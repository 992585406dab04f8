/**
 * nf_tables: batches of changes that take effect together or not at all, lists of what is there, and phrases
 * of nft's language as the expressions that the kernel wants.
 *
 * Loads without permissions. A connection to the kernel is `openNetlink("netfilter")` of
 * `@tproxy/tproxy/netlink`, which needs `--allow-ffi`, and CAP_NET_ADMIN.
 *
 * @example nft add table inet t; nft add chain inet t c { … }; nft add rule inet t c meta l4proto tcp th
 *   dport 80 counter
 * ```ts ignore
 * import { NftBatch, phrases } from "@tproxy/tproxy/nftables";
 * import { openNetlink } from "@tproxy/tproxy/netlink";
 *
 * using connection = openNetlink("netfilter");
 * const base = { type: "filter", hook: "prerouting", priority: 0, policy: "accept" } as const;
 * new NftBatch()
 *   .addTable({ family: "inet", name: "t" })
 *   .addChain({ family: "inet", table: "t", name: "c", base })
 *   .addRule({
 *     family: "inet",
 *     table: "t",
 *     chain: "c",
 *     expressions: [...phrases.transport("tcp"), ...phrases.destinationPort(80), ...phrases.counter()],
 *   })
 *   .commit(connection);
 * ```
 * @module
 */
export { type BatchSet, NftBatch } from "../netlink/nft/batch.ts";
export { readGeneration } from "../netlink/nft/generation.ts";
export * as phrases from "../netlink/nft/phrases.ts";
export { listTables, type NftTable, type TableFlag, type TableName } from "../netlink/nft/table.ts";
export {
  type BaseChain,
  type ChainName,
  type ChainPolicy,
  type Hook,
  listChains,
  type NftChain,
} from "../netlink/nft/chain.ts";
export { listSets, type NftSet, type SetFlag, type SetName } from "../netlink/nft/sets/set.ts";
export { listElements, type NftElement } from "../netlink/nft/sets/element.ts";
export { intervalElements, type KeyRange, prefixRange } from "../netlink/nft/sets/interval.ts";
export {
  concatenatedKey,
  etherKey,
  hostKey,
  ifnameKey,
  type NftDataType,
  portKey,
} from "../netlink/nft/sets/set_type.ts";
export { listRules, type NftRule, type RuleHandle } from "../netlink/nft/rule.ts";
export type { NftExpression, UnknownExpression } from "../netlink/nft/expression.ts";
export type { NftFamily } from "../netlink/nft/message.ts";
export type { Verdict, VerdictCode } from "../netlink/nft/data.ts";
export type { BitwiseExpression } from "../netlink/nft/expr/bitwise.ts";
export type { CmpExpression, CmpOperator } from "../netlink/nft/expr/cmp.ts";
export type { CounterExpression } from "../netlink/nft/expr/counter.ts";
export type { CtExpression, CtKey, CtSide } from "../netlink/nft/expr/ct.ts";
export type { DynsetExpression, DynsetOperation } from "../netlink/nft/expr/dynset.ts";
export type { FibExpression, FibFlag, FibResult } from "../netlink/nft/expr/fib.ts";
export type { ImmediateExpression, VerdictExpression } from "../netlink/nft/expr/immediate.ts";
export type { LogExpression } from "../netlink/nft/expr/log.ts";
export type { LookupExpression } from "../netlink/nft/expr/lookup.ts";
export type { MasqueradeExpression } from "../netlink/nft/expr/masquerade.ts";
export type { MetaExpression, MetaKey } from "../netlink/nft/expr/meta.ts";
export type { NatExpression, NatType } from "../netlink/nft/expr/nat.ts";
export type { NotrackExpression } from "../netlink/nft/expr/notrack.ts";
export type {
  PayloadBase,
  PayloadExpression,
  PayloadPlace,
  PayloadWriteExpression,
} from "../netlink/nft/expr/payload.ts";
export type { QueueExpression } from "../netlink/nft/expr/queue.ts";
export type { RangeExpression } from "../netlink/nft/expr/range.ts";
export type { IcmpxCode, RejectExpression, RejectType } from "../netlink/nft/expr/reject.ts";
export type { SocketExpression, SocketKey } from "../netlink/nft/expr/socket.ts";
export type { TcpOptionExpression, TcpOptionResetExpression } from "../netlink/nft/expr/tcp_option.ts";
export type { TproxyExpression, TproxyFamily } from "../netlink/nft/expr/tproxy.ts";
export type { BatchCommand, NetlinkConnection, NetlinkTransport, Purpose } from "../netlink/connection.ts";
export type { NetlinkAnswer, NetlinkMessage, NetlinkRequest } from "../netlink/message.ts";
export type { Family, IpAddress, Prefix } from "../net/ip.ts";
export { OperationError, type OperationFailure } from "../net/error.ts";
