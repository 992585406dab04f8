/**
 * Rules, expression by expression. Pure.
 * @module
 */
import type { Case } from "./case.ts";

/** Chains to try rules in. */
export const CHAIN = "nft add table inet t; nft add chain inet t c; nft add chain inet t other";
/** A set of ports. */
export const PORTS = "nft add set inet t ports '{ type inet_service; flags interval; }'";
/** A set of interfaces. */
export const LAN = "nft add set inet t lan '{ type ifname; }'";

/** A rule in chain `c`. */
export function nftRule(name: string, rule: string): Case {
  const command = ["nft", "add", "rule", "inet", "t", "c", ...rule.split(" ")] as const;
  return { name: `rule-${name}`, setup: [CHAIN, PORTS, LAN], command, direction: "sent" };
}

/** Phrase by phrase. */
export const NFT_RULES: readonly Case[] = [
  nftRule("tproxy", "meta nfproto ipv4 meta l4proto tcp tproxy ip to 127.0.0.1:50080"),
  nftRule("tproxy6", "meta nfproto ipv6 meta l4proto udp tproxy ip6 to [::1]:50080"),
  nftRule("socket-mark", "meta l4proto tcp socket transparent 1 meta mark set meta mark | 1 notrack accept"),
  nftRule("socket-mark-equal", "socket mark & 4 == 4 accept"),
  nftRule("mark-masked", "meta mark & 0x4 == 0x4 notrack"),
  nftRule("bare-syn", "meta l4proto tcp tcp flags syn / fin,syn,rst,ack drop"),
  nftRule("lookup-inverted", "iifname != @lan return"),
  nftRule("ports", "tcp dport @ports jump other"),
  nftRule("ports-inverted", "meta l4proto udp th dport != @ports goto other"),
  nftRule("port-range", "tcp dport != 22-23 accept"),
  nftRule("fib", "fib daddr type local return"),
  nftRule("fib-exists", "fib saddr . mark . iif oif exists accept"),
  nftRule("ct-state", "ct state established,related accept"),
  nftRule("reject-reset", "meta l4proto tcp reject with tcp reset"),
  nftRule("reject-icmpx", "meta l4proto udp reject with icmpx port-unreachable"),
  nftRule("counter-comment", 'counter comment "hello"'),
  nftRule("anonymous-set", "meta l4proto { tcp, udp } accept"),
];
