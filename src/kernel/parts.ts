/**
 * The parts of a kernel that it may be built without, or that live in packages of their own. Pure.
 * @module
 */

/** A part of the kernel: a module, or one that is compiled in. */
export interface KernelPart {
  /** Of the kernel's build, without `CONFIG_`. */
  readonly symbol: string;
  /** OpenWrt's package of it, or packages with blanks between. */
  readonly openWrtPackage: string;
}

/**
 * By the name of the module: those that are asked for, and those that these need in their turn. The packages
 * are those of OpenWrt's include/netfilter.mk and package/kernel/linux/modules.
 */
const PARTS = {
  nfnetlink: { symbol: "NETFILTER_NETLINK", openWrtPackage: "kmod-nfnetlink" },
  nf_tables: { symbol: "NF_TABLES", openWrtPackage: "kmod-nft-core" },
  nft_tproxy: { symbol: "NFT_TPROXY", openWrtPackage: "kmod-nft-tproxy" },
  nft_socket: { symbol: "NFT_SOCKET", openWrtPackage: "kmod-nft-socket" },
  nft_fib: { symbol: "NFT_FIB", openWrtPackage: "kmod-nft-fib" },
  nft_fib_inet: { symbol: "NFT_FIB_INET", openWrtPackage: "kmod-nft-fib" },
  nft_fib_ipv4: { symbol: "NFT_FIB_IPV4", openWrtPackage: "kmod-nft-fib" },
  nft_fib_ipv6: { symbol: "NFT_FIB_IPV6", openWrtPackage: "kmod-nft-fib" },
  nft_ct: { symbol: "NFT_CT", openWrtPackage: "kmod-nft-core" },
  nft_log: { symbol: "NFT_LOG", openWrtPackage: "kmod-nft-core" },
  nfnetlink_log: { symbol: "NETFILTER_NETLINK_LOG", openWrtPackage: "kmod-nfnetlink-log" },
  nft_queue: { symbol: "NFT_QUEUE", openWrtPackage: "kmod-nft-queue" },
  nfnetlink_queue: { symbol: "NETFILTER_NETLINK_QUEUE", openWrtPackage: "kmod-nfnetlink-queue" },
  nft_nat: { symbol: "NFT_NAT", openWrtPackage: "kmod-nft-nat" },
  nft_reject: { symbol: "NFT_REJECT", openWrtPackage: "kmod-nft-core" },
  nft_reject_inet: { symbol: "NFT_REJECT_INET", openWrtPackage: "kmod-nft-core" },
  nft_compat: { symbol: "NFT_COMPAT", openWrtPackage: "kmod-nft-compat" },
  nf_conntrack: { symbol: "NF_CONNTRACK", openWrtPackage: "kmod-nf-conntrack" },
  nf_conntrack_netlink: { symbol: "NF_CT_NETLINK", openWrtPackage: "kmod-nf-conntrack-netlink" },
  nf_defrag_ipv4: { symbol: "NF_DEFRAG_IPV4", openWrtPackage: "kmod-nf-conntrack" },
  nf_defrag_ipv6: { symbol: "NF_DEFRAG_IPV6", openWrtPackage: "kmod-nf-conntrack6" },
  nf_tproxy_ipv4: { symbol: "NF_TPROXY_IPV4", openWrtPackage: "kmod-nf-tproxy" },
  nf_tproxy_ipv6: { symbol: "NF_TPROXY_IPV6", openWrtPackage: "kmod-nf-tproxy" },
  nf_socket_ipv4: { symbol: "NF_SOCKET_IPV4", openWrtPackage: "kmod-nf-socket" },
  nf_socket_ipv6: { symbol: "NF_SOCKET_IPV6", openWrtPackage: "kmod-nf-socket" },
  nf_reject_ipv4: { symbol: "NF_REJECT_IPV4", openWrtPackage: "kmod-nf-reject" },
  nf_reject_ipv6: { symbol: "NF_REJECT_IPV6", openWrtPackage: "kmod-nf-reject6" },
  libcrc32c: { symbol: "LIBCRC32C", openWrtPackage: "kmod-lib-crc32c" },
  x_tables: { symbol: "NETFILTER_XTABLES", openWrtPackage: "kmod-nf-ipt" },
  ip_tables: { symbol: "IP_NF_IPTABLES", openWrtPackage: "kmod-nf-ipt" },
  ip6_tables: { symbol: "IP6_NF_IPTABLES", openWrtPackage: "kmod-nf-ipt6" },
  iptable_raw: { symbol: "IP_NF_RAW", openWrtPackage: "kmod-ipt-raw" },
  iptable_mangle: { symbol: "IP_NF_MANGLE", openWrtPackage: "kmod-ipt-core" },
  iptable_filter: { symbol: "IP_NF_FILTER", openWrtPackage: "kmod-ipt-core" },
  ip6table_raw: { symbol: "IP6_NF_RAW", openWrtPackage: "kmod-ipt-raw6" },
  ip6table_mangle: { symbol: "IP6_NF_MANGLE", openWrtPackage: "kmod-ip6tables" },
  ip6table_filter: { symbol: "IP6_NF_FILTER", openWrtPackage: "kmod-ip6tables" },
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
  xt_CT: { symbol: "NETFILTER_XT_TARGET_CT", openWrtPackage: "kmod-ipt-conntrack" },
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
  ipt_REJECT: { symbol: "IP_NF_TARGET_REJECT", openWrtPackage: "kmod-ipt-core" },
  ip6t_REJECT: { symbol: "IP6_NF_TARGET_REJECT", openWrtPackage: "kmod-ip6tables" },
  veth: { symbol: "VETH", openWrtPackage: "kmod-veth" },
} as const satisfies Readonly<Record<string, KernelPart>>;

/** The name of a module that {@linkcode KERNEL_PARTS} knows. */
export type KernelModule = keyof typeof PARTS;

/** Parts that a router's kernel may lack, by the name of the module. */
export const KERNEL_PARTS: Readonly<Record<KernelModule, KernelPart>> = PARTS;

/** The part of that name; undefined where it is none of ours. */
export function findPart(module: string): KernelPart | undefined {
  return Object.hasOwn(PARTS, module) ? PARTS[module as KernelModule] : undefined;
}

/** `nft_tproxy (CONFIG_NFT_TPROXY)`; of a module that nobody here knows, its name. */
export function namePart(module: string): string {
  const part = findPart(module);
  return part === undefined ? module : `${module} (CONFIG_${part.symbol})`;
}
