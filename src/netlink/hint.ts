/**
 * What to do about an error of the kernel, as far as the errno alone tells. Pure.
 * @module
 */
const EPERM = 1;
const EACCES = 13;
const EPROTONOSUPPORT = 93;

/** A hint for the errno, or undefined. */
export function commonHint(errno: number): string | undefined {
  if (errno === EPERM || errno === EACCES) return "It needs root (CAP_NET_ADMIN): try sudo";
  if (errno === EPROTONOSUPPORT) return missingModuleHint("nfnetlink");
  return undefined;
}

/** A part of the kernel that may be compiled out, or live in a package of its own. */
export interface KernelPart {
  /** Of the kernel's build, without `CONFIG_`. */
  readonly symbol: string;
  /** OpenWrt's package of it, or packages with blanks between. */
  readonly openWrtPackage: string;
}

/** By the name of the module. The packages are those of OpenWrt's package/kernel/linux/modules/netfilter.mk. */
const PARTS = {
  nfnetlink: { symbol: "NETFILTER_NETLINK", openWrtPackage: "kmod-nfnetlink" },
  nf_tables: { symbol: "NF_TABLES", openWrtPackage: "kmod-nft-core" },
  nft_tproxy: { symbol: "NFT_TPROXY", openWrtPackage: "kmod-nft-tproxy" },
  nft_socket: { symbol: "NFT_SOCKET", openWrtPackage: "kmod-nft-socket" },
  nft_fib_inet: { symbol: "NFT_FIB_INET", openWrtPackage: "kmod-nft-fib" },
  nft_ct: { symbol: "NFT_CT", openWrtPackage: "kmod-nft-core" },
  nft_reject_inet: { symbol: "NFT_REJECT_INET", openWrtPackage: "kmod-nft-core" },
  nft_compat: { symbol: "NFT_COMPAT", openWrtPackage: "kmod-nft-compat" },
  xt_TPROXY: {
    symbol: "NETFILTER_XT_TARGET_TPROXY",
    openWrtPackage: "kmod-ipt-tproxy iptables-mod-tproxy",
  },
  xt_socket: {
    symbol: "NETFILTER_XT_MATCH_SOCKET",
    openWrtPackage: "kmod-ipt-socket iptables-mod-socket",
  },
  xt_recent: {
    symbol: "NETFILTER_XT_MATCH_RECENT",
    openWrtPackage: "kmod-ipt-conntrack-extra iptables-mod-conntrack-extra",
  },
  xt_CT: { symbol: "NETFILTER_XT_TARGET_CT", openWrtPackage: "kmod-ipt-raw" },
  xt_addrtype: {
    symbol: "NETFILTER_XT_MATCH_ADDRTYPE",
    openWrtPackage: "kmod-ipt-extra iptables-mod-extra",
  },
  xt_mark: { symbol: "NETFILTER_XT_MARK", openWrtPackage: "kmod-ipt-core" },
  xt_conntrack: { symbol: "NETFILTER_XT_MATCH_CONNTRACK", openWrtPackage: "kmod-ipt-conntrack" },
  xt_connmark: {
    symbol: "NETFILTER_XT_CONNMARK",
    openWrtPackage: "kmod-ipt-conntrack-extra iptables-mod-conntrack-extra",
  },
  xt_multiport: { symbol: "NETFILTER_XT_MATCH_MULTIPORT", openWrtPackage: "kmod-ipt-core" },
  xt_mac: { symbol: "NETFILTER_XT_MATCH_MAC", openWrtPackage: "kmod-ipt-core" },
  xt_comment: { symbol: "NETFILTER_XT_MATCH_COMMENT", openWrtPackage: "kmod-ipt-core" },
  xt_tcpudp: { symbol: "NETFILTER_XTABLES", openWrtPackage: "kmod-ipt-core" },
  ip_tables: { symbol: "IP_NF_IPTABLES", openWrtPackage: "kmod-ipt-core" },
  ip6_tables: { symbol: "IP6_NF_IPTABLES", openWrtPackage: "kmod-ip6tables" },
  ipt_REJECT: { symbol: "IP_NF_TARGET_REJECT", openWrtPackage: "kmod-ipt-core" },
  ip6t_REJECT: { symbol: "IP6_NF_TARGET_REJECT", openWrtPackage: "kmod-ip6tables" },
  veth: { symbol: "VETH", openWrtPackage: "kmod-veth" },
} as const satisfies Readonly<Record<string, KernelPart>>;

/** The name of a module that {@linkcode KERNEL_PARTS} knows. */
export type KernelModule = keyof typeof PARTS;

/** What a router's kernel may lack, by the name of the module. */
export const KERNEL_PARTS: Readonly<Record<KernelModule, KernelPart>> = PARTS;

/** `The kernel lacks nft_tproxy (CONFIG_NFT_TPROXY). Try "modprobe nft_tproxy"; on OpenWrt install kmod-nft-tproxy`. */
export function missingModuleHint(module: string): string {
  const part = (PARTS as Readonly<Record<string, KernelPart>>)[module];
  if (part === undefined) return `The kernel lacks ${module}. Try "modprobe ${module}"`;
  return `The kernel lacks ${module} (CONFIG_${part.symbol}). Try "modprobe ${module}"; ` +
    `on OpenWrt install ${part.openWrtPackage}`;
}
