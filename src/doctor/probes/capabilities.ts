/**
 * Capabilities of a kernel that tproxy and the kernel's TPROXY page need: their names, and who needs them.
 * Pure.
 * @module
 */
import type { Config } from "../../config/types.ts";
import { EAFNOSUPPORT, EINVAL, ENOENT, ENOPROTOOPT, EOPNOTSUPP, EPROTONOSUPPORT } from "../../net/errno.ts";
import type { Family } from "../../net/ip.ts";
import type { CompiledTable, Statement } from "../../kernel/nft/model.ts";
import { KERNEL_PARTS, type KernelModule } from "../../kernel/parts.ts";
import type { ProbeId } from "./probe.ts";
import { XTABLES_PARTS, type XtablesNeeds, type XtablesPartName } from "./xtables_parts.ts";

// asm-generic/errno.h

/** Something that a kernel can do or not. */
export interface Capability {
  /** The id of its finding. */
  readonly id: string;
  /** The probes of it: one that works is enough. */
  readonly probes: readonly ProbeId[];
  /** In one line, with the name that the kernel's page has for it. */
  readonly what: string;
  /** Its module, or the symbol of the kernel's configuration where it is never one. */
  readonly part: { readonly module: KernelModule } | { readonly symbol: string };
  /** Errnos that say that the kernel lacks it; others are failures. */
  readonly absent: readonly number[];
  /** Tells whether the config needs it. */
  readonly needed: boolean;
}

const FAMILY_NAMES: Readonly<Record<Family, string>> = { ipv4: "IPv4", ipv6: "IPv6" };
const NO_EXPRESSION: readonly number[] = [ENOENT, EOPNOTSUPP, EAFNOSUPPORT];

/** The demand of a config. */
export interface KernelDemand {
  readonly config: Config;
  /** The families that are tried. */
  readonly families: readonly Family[];
  readonly xtables: XtablesNeeds;
  /** The table of the config; undefined where none can be planned. */
  readonly table?: CompiledTable | undefined;
}

/** Everything that is tried. */
export function listCapabilities({ config, families, xtables, table }: KernelDemand): Capability[] {
  const nft = config.kernel.backend === "netlink";
  return [
    ...listNfTables(config, families, table),
    {
      id: "nft-table",
      probes: ["nft-table"],
      what: "the whole table of this config",
      part: { module: "nf_tables" },
      absent: NO_EXPRESSION,
      needed: nft,
    },
    ...families.flatMap((family) => listRouting(family, config)),
    ...families.flatMap((family) => xtables[family].map((name) => listXtables(family, name, !nft))),
  ];
}

function listNfTables(
  { kernel, intercept }: Config,
  families: readonly Family[],
  table: CompiledTable | undefined,
): Capability[] {
  const needed = kernel.backend === "netlink";
  const uses = (kinds: readonly Statement["kind"][]) =>
    table?.chains.some(({ rules }) =>
      rules.some(({ statements }) => statements.some(({ kind }) => kinds.includes(kind)))
    );
  const expression = (id: ProbeId, module: KernelModule, what: string): Capability => ({
    id,
    probes: [id],
    what,
    part: { module },
    absent: NO_EXPRESSION,
    needed,
  });
  return [
    {
      ...expression("nf-tables", "nf_tables", "NF_TABLES: tables of family inet"),
      absent: [EINVAL, EPROTONOSUPPORT, EOPNOTSUPP, EAFNOSUPPORT],
    },
    expression("nft-socket", "nft_socket", 'NFT_SOCKET: nft "socket transparent"'),
    ...families.map((family) =>
      expression(
        `nft-tproxy-${family}`,
        "nft_tproxy",
        `NFT_TPROXY: nft "tproxy to", ${FAMILY_NAMES[family]}`,
      )
    ),
    expression("nft-fib", "nft_fib_inet", 'NFT_FIB_INET: nft "fib daddr type"'),
    expression("nft-notrack", "nft_ct", 'NFT_CT: nft "notrack"'),
    {
      ...expression("nft-reject", "nft_reject_inet", 'NFT_REJECT_INET: nft "reject"'),
      needed: needed && (uses(["reject"]) ?? intercept.onFailure === "reset"),
    },
    ...(uses(["flow-bits", "set-flow-bits"])
      ? [{
        ...expression("nft-ct-mark", "nft_ct", 'NF_CONNTRACK_MARK: nft "ct mark"'),
        part: { symbol: "NF_CONNTRACK_MARK" },
      }]
      : []),
  ];
}

function listRouting(family: Family, { intercept }: Config): Capability[] {
  const prefix = family === "ipv4" ? "IP" : "IPV6";
  return [
    {
      id: `policy-routing-${family}`,
      probes: [`policy-routing-${family}`],
      what: `policy routing: fwmark rule and local route, ${FAMILY_NAMES[family]}`,
      part: { symbol: `${prefix}_MULTIPLE_TABLES` },
      absent: [EOPNOTSUPP, EAFNOSUPPORT],
      needed: true,
    },
    {
      id: `ip-transparent-${family}`,
      probes: [`ip-transparent-${family}`],
      what: `${prefix}_TRANSPARENT: sockets with clients' addresses`,
      part: { symbol: family === "ipv4" ? "INET" : "IPV6" },
      absent: [ENOPROTOOPT, EAFNOSUPPORT],
      needed: true,
    },
    {
      id: `raw-udp-${family}`,
      probes: [`raw-udp-${family}`],
      what: `raw sockets for UDP answers, ${FAMILY_NAMES[family]}`,
      part: { symbol: family === "ipv4" ? "INET" : "IPV6" },
      absent: [EPROTONOSUPPORT, ENOPROTOOPT, EAFNOSUPPORT],
      needed: intercept.protocols.includes("udp"),
    },
  ];
}

function listXtables(family: Family, name: XtablesPartName, needed: boolean): Capability {
  const command = family === "ipv4" ? "iptables" : "ip6tables";
  const { type, option, module } = XTABLES_PARTS[name];
  const { symbol } = KERNEL_PARTS[module[family]];
  return {
    id: `xt-${name}-${family}`,
    probes: [`xt-${name}-${family}/nft`, `xt-${name}-${family}/legacy`],
    what: `${symbol}: ${command} ${type === "match" ? "-m" : "-j"} ${option}`,
    part: { module: module[family] },
    absent: [ENOENT, EINVAL, EOPNOTSUPP, EPROTONOSUPPORT, ENOPROTOOPT, EAFNOSUPPORT],
    needed,
  };
}
