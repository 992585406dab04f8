/**
 * Rules where packets of the router itself leave: may they drop a new flow, or send it elsewhere? A rule that
 * cannot be judged counts as one that may.
 * @module
 */
import { LIVE_TABLE_NAME, TABLE_NAME } from "../constants.ts";
import type { NetlinkConnection } from "../netlink/connection.ts";
import { type ChainName, listChains, type NftChain } from "../netlink/nft/chain.ts";
import type { NftExpression } from "../netlink/nft/expression.ts";
import { listRules, type NftRule } from "../netlink/nft/rule.ts";
import { listTables } from "../netlink/nft/table.ts";
import { EINVAL } from "../net/errno.ts";
import { OperationError } from "../net/error.ts";
import { ifNfTables } from "./machine/nf_tables.ts";
import { KERNEL_PARTS, namePart } from "./parts.ts";

/** Hooks that a packet of the router passes before it is sent. */
const HOOKS: readonly string[] = ["output", "postrouting"];
/** The NAT of sources, behind them, has nothing to change any more: what is dialled is translated already. */
const NAT_HOOK = "output";
/** Tables of iptables-legacy that may do so, as the kernel names them. */
export const LEGACY_NAMES: readonly string[] = ["/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"];
/** linux/netfilter/nfnetlink_conntrack.h: NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS */
const CT_GET_STATS = 0x105;
/** Expressions whose verdict is not known: targets of iptables, and programs that are asked; and NAT. */
const HINDRANCES = ["target", "queue", "synproxy", "nat", "redir"];
const LEGACY_FILTERS = /^(filter|mangle|nat|raw|security)$/m;

/** Sources to read. */
export interface OutputSources {
  /** To nf_tables; it needs CAP_NET_ADMIN. */
  readonly netfilter: NetlinkConnection;
  /** Throws Deno's errors. */
  readonly readTextFile: (path: string) => string;
}

/** Tells whether another program's rules may drop a new flow of the router's own, or send it elsewhere. */
export function outputMayDrop({ netfilter, readTextFile }: OutputSources): boolean {
  if (LEGACY_NAMES.some((path) => LEGACY_FILTERS.test(readOrNothing(path, readTextFile)))) return true;
  return ifNfTables(() => {
    const tables = (["inet", "ip", "ip6"] as const).flatMap((family) => listTables(netfilter, family));
    return tables.filter(({ name }) => name !== TABLE_NAME && name !== LIVE_TABLE_NAME).some((table) => {
      const chains = listChains(netfilter, table);
      const bases = chains.filter(isAtOutput);
      if (bases.some(({ base }) => base?.policy === "drop")) return true;
      if (bases.length === 0) return false;
      return chainsMayDrop(bases, listRules(netfilter, { family: table.family, table: table.name }));
    });
  }, false);
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

/** Reads a file; nothing where it cannot. */
export function readOrNothing(path: string, readTextFile: OutputSources["readTextFile"]): string {
  try {
    return readTextFile(path);
  } catch {
    return "";
  }
}
