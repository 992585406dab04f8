/**
 * Rules where packets of the router itself leave: may they drop a new flow, or send it elsewhere? A rule that
 * cannot be judged counts as one that may.
 * @module
 */
import type { NetlinkConnection } from "../netlink/connection.ts";
import type { ChainName, NftChain } from "../netlink/nft/chain.ts";
import type { NftExpression } from "../netlink/nft/expression.ts";
import type { NftRule } from "../netlink/nft/rule.ts";
import { EINVAL } from "../net/errno.ts";
import { OperationError } from "../net/error.ts";
import type { OtherRules } from "./other_rules.ts";
import { KERNEL_PARTS, namePart } from "./parts.ts";

/** Hooks that a packet of the router passes before it is sent. */
const HOOKS: readonly string[] = ["output", "postrouting"];
/** The NAT of sources, behind them, has nothing to change any more: what is dialled is translated already. */
const NAT_HOOK = "output";
/** linux/netfilter/nfnetlink_conntrack.h: NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS */
const CT_GET_STATS = 0x105;
/** Expressions whose verdict is not known: targets of iptables, and programs that are asked; and NAT. */
const HINDRANCES = ["target", "queue", "synproxy", "nat", "redir"];
/** Tables of iptables-legacy that may do so. */
const LEGACY_FILTERS = /^(filter|mangle|nat|raw|security)$/m;

/** Tells whether another program's rules may drop a new flow of the router's own, or send it elsewhere. */
export function outputMayDrop({ tables, legacy }: OtherRules): boolean {
  return LEGACY_FILTERS.test(legacy) || tables.some(({ bases, rules }) => {
    const met = bases.filter(isAtOutput);
    return met.some(({ base }) => base?.policy === "drop") || chainsMayDrop(met, rules);
  });
}

/**
 * The reason why dials do not pass such a filter as established flows, as they should: the kernel has no
 * netlink of conntrack. Undefined: it has.
 */
export function passageObstacle(netfilter: NetlinkConnection): string | undefined {
  const module = "nf_conntrack_netlink";
  try {
    const request = { type: CT_GET_STATS, body: new Uint8Array(4) }; // struct nfgenmsg
    netfilter.execute(request, { operation: "read", object: "the counters of conntrack" });
    return undefined;
  } catch (error) {
    if (!(error instanceof OperationError) || error.errno !== EINVAL) return undefined;
    return `the kernel lacks ${namePart(module)}; on OpenWrt: ${KERNEL_PARTS[module].openWrtPackage}`;
  }
}

function isAtOutput({ base }: NftChain): boolean {
  return base !== undefined && (base.type === "nat" ? base.hook === NAT_HOOK : HOOKS.includes(base.hook));
}

/** Tells whether a packet may meet such a rule, in some chains or in those that they lead to. */
export function chainsMayDrop(bases: readonly ChainName[], rules: readonly NftRule[]): boolean {
  const reached = new Set(bases.map(({ name }) => name));
  for (const chain of reached) {
    for (const { expressions } of rules.filter((rule) => rule.chain === chain)) {
      if (isForwardedOnly(expressions)) continue;
      if (expressions.some(mayDrop)) return true;
      // The set grows while it is walked, and is walked to its end.
      for (const target of expressions.flatMap(targetOf)) reached.add(target);
    }
  }
  return false;
}

/** The rule asks for an interface that a packet came by: the router's own has come by none (0, no name). */
function isForwardedOnly(expressions: readonly NftExpression[]): boolean {
  return expressions.some((expression, at) => {
    if (expression.kind !== "meta" || expression.direction !== "load") return false;
    if (expression.key !== "iif" && expression.key !== "iifname") return false;
    const test = expressions[at + 1];
    if (test?.kind === "lookup") return test.register === expression.register && !test.inverted;
    if (test?.kind !== "cmp" || test.register !== expression.register) return false;
    const isNone = test.value.every((byte) => byte === 0);
    return test.operator === "eq" ? !isNone : test.operator === "neq" && isNone;
  });
}

function mayDrop(expression: NftExpression): boolean {
  switch (expression.kind) {
    case "reject":
    case "nat":
    case "queue":
      return true;
    case "verdict":
      return expression.verdict.code === "drop" || expression.verdict.code === "queue";
    case "lookup":
      return expression.destination === 0; // a map of verdicts
    case "unknown":
      return HINDRANCES.includes(expression.name);
    default:
      return false;
  }
}

function targetOf(expression: NftExpression): string[] {
  return expression.kind === "verdict" ? [expression.verdict.chain ?? []].flat() : [];
}
