/**
 * The matches and targets of iptables that the backend's rules use: what each is called in the kernel. Pure.
 * @module
 */
import type { Config } from "../../config/types.ts";
import { OperationError } from "../../net/error.ts";
import type { Family } from "../../net/ip.ts";
import type { XtablesExtension } from "../../netlink/nft/compat.ts";
import { compileIptables } from "../../kernel/iptables/compile/compile.ts";
import type { Plan } from "../../kernel/plan/model.ts";
import type { KernelModule } from "../../kernel/parts.ts";

/** A match or target, in lower case as in the ids of findings. */
export type XtablesPartName = keyof typeof PARTS;

/** An extension, and the part of the kernel that it is. */
export interface XtablesPart {
  readonly type: "match" | "target";
  /** The name in rules: `socket`, `TPROXY`. */
  readonly option: string;
  /** The first revision that can do what our rules ask for. */
  readonly revision: number;
  readonly module: Readonly<Record<Family, KernelModule>>;
}

function part(
  type: "match" | "target",
  option: string,
  more: { revision?: number; module: KernelModule; ipv6?: KernelModule },
): XtablesPart {
  const { revision = 0, module, ipv6 = module } = more;
  return { type, option, revision, module: { ipv4: module, ipv6 } };
}

const PARTS = {
  // Revision 1 has --transparent, and TPROXY for IPv6.
  socket: part("match", "socket", { revision: 1, module: "xt_socket" }),
  tproxy: part("target", "TPROXY", { revision: 1, module: "xt_TPROXY" }),
  // Revision 1 has --mask.
  recent: part("match", "recent", { revision: 1, module: "xt_recent" }),
  notrack: part("target", "CT", { module: "xt_CT" }),
  addrtype: part("match", "addrtype", { revision: 1, module: "xt_addrtype" }),
  mark: part("match", "mark", { revision: 1, module: "xt_mark" }),
  // Revision 2 has --set-xmark.
  "set-mark": part("target", "MARK", { revision: 2, module: "xt_mark" }),
  conntrack: part("match", "conntrack", { revision: 1, module: "xt_conntrack" }),
  connmark: part("match", "connmark", { revision: 1, module: "xt_connmark" }),
  "set-connmark": part("target", "CONNMARK", { revision: 1, module: "xt_connmark" }),
  multiport: part("match", "multiport", { revision: 1, module: "xt_multiport" }),
  mac: part("match", "mac", { module: "xt_mac" }),
  comment: part("match", "comment", { module: "xt_comment" }),
  tcp: part("match", "tcp", { module: "xt_tcpudp" }),
  icmp: part("match", "icmp", { module: "ip_tables" }),
  icmp6: part("match", "icmp6", { module: "ip6_tables" }),
  reject: part("target", "REJECT", { module: "ipt_REJECT", ipv6: "ip6t_REJECT" }),
} as const satisfies Readonly<Record<string, XtablesPart>>;

/** All that is known, by the names of findings. */
export const XTABLES_PARTS: Readonly<Record<XtablesPartName, XtablesPart>> = PARTS;

/** Those of the kernel's TPROXY page: tried whatever the backend is. */
const OF_THE_PAGE: readonly XtablesPartName[] = ["socket", "tproxy"];

/** Returns the question to the kernel. */
export function extensionOf(name: XtablesPartName, family: Family): XtablesExtension {
  const { type, option, revision } = XTABLES_PARTS[name];
  return { family, type, name: option, revision };
}

/** Lists the parts to try for a family: with the backend iptables, all that the rules of the plan use. */
export type XtablesNeeds = Readonly<Record<Family, readonly XtablesPartName[]>>;

/** Goes by the rules themselves, so that none of their parts can be left out. */
export function listXtablesNeeds(config: Config, plan: Plan | undefined): XtablesNeeds {
  const used = config.kernel.backend === "iptables" && plan !== undefined
    ? listUsed(plan)
    : { ipv4: [], ipv6: [] };
  const names = Object.keys(PARTS) as XtablesPartName[];
  const needs = (family: Family) =>
    names.filter((name) => OF_THE_PAGE.includes(name) || used[family].includes(wordOf(name)));
  return { ipv4: needs("ipv4"), ipv6: needs("ipv6") };
}

function wordOf(name: XtablesPartName): string {
  const { type, option } = XTABLES_PARTS[name];
  return `${type === "match" ? "-m" : "-j"} ${option}`;
}

/** The words `-m socket`, `-j TPROXY` of all rules. */
function listUsed(plan: Plan): Record<Family, string[]> {
  const used: Record<Family, string[]> = { ipv4: [], ipv6: [] };
  try {
    for (const { family, tables } of compileIptables(plan)) {
      const texts = tables.flatMap(({ chains }) => chains).flatMap(({ rules }) =>
        rules.map(({ text }) => text)
      );
      // The comment of the rule that tells whose the chains are is added by an install.
      used[family] = [...texts.flatMap((text) => text.match(/-[mj] \S+/g) ?? []), "-m comment"];
    }
  } catch (error) {
    // What iptables cannot do at all has a finding of its own.
    if (!(error instanceof OperationError)) throw error;
  }
  return used;
}
