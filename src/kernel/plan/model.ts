/**
 * The kernel state that an install makes, as data: one table of nf_tables, policy-routing rules, routes. Three
 * renderings are made from it: netlink messages, `nft` and `ip` commands, JSON. Pure.
 * @module
 */
import type { Protocol } from "../../config/types.ts";
import type { Endpoint, Family } from "../../net/ip.ts";
import type { KeyRange } from "../../netlink/nft/sets/interval.ts";

/** An address type of the routing table, as in `fib daddr type`. */
export type AddressType = "local" | "broadcast" | "anycast" | "multicast";

/** One match or action of a rule. The comment beside each is its text in nft. */
export type Statement =
  /** `iifname @lan`, `iifname != @lan` */
  | { readonly kind: "input-interface"; readonly set: string; readonly negate: boolean }
  /** `iifname "br-lan"`, `iifname != "br-lan"`: costs half of what a set of one does. */
  | { readonly kind: "input-interface-name"; readonly name: string; readonly negate: boolean }
  /** `oifname @lan`, `oifname "br-lan"`; in a chain for forwarded packets. */
  | { readonly kind: "output-interface"; readonly set: string }
  /** `oifname "br-lan"` */
  | { readonly kind: "output-interface-name"; readonly name: string }
  /** `meta nfproto ipv4` */
  | { readonly kind: "family"; readonly family: Family }
  /** `meta l4proto tcp`, `meta l4proto { tcp, udp }` */
  | { readonly kind: "protocol"; readonly protocols: readonly Protocol[] }
  /** `tcp flags syn / fin,syn,rst,ack`: the first packet of a connection. TCP only, by itself. */
  | { readonly kind: "bare-syn" }
  /** `th dport != @ports`; after a `protocol` match. */
  | { readonly kind: "destination-port"; readonly set: string; readonly negate: boolean }
  /** `ip saddr @nets`, `ip6 daddr @nets`; after a `family` match of that family. */
  | {
    readonly kind: "address";
    readonly side: "source" | "destination";
    readonly family: Family;
    readonly set: string;
  }
  /** `ether saddr @macs`: packets from Ethernet alone. */
  | { readonly kind: "hardware-address"; readonly set: string }
  /** `fib daddr type { local, … }`, `fib daddr type != { local, … }` */
  | { readonly kind: "destination-type"; readonly types: readonly AddressType[]; readonly negate: boolean }
  /** `socket transparent 1` */
  | { readonly kind: "transparent-socket" }
  /**
   * What a router on the way says of a packet: `icmp type destination-unreachable icmp code frag-needed`, `icmpv6 type packet-too-big`; or
   * `icmp type destination-unreachable`, which has frag-needed among its codes, and `icmpv6 type destination-unreachable`.
   */
  | { readonly kind: "icmp-error"; readonly family: Family; readonly error: "too-big" | "unreachable" }
  /** `ct state established,related`: what conntrack takes for a part of a flow that it knows */
  | { readonly kind: "known-flow" }
  /** `socket mark 0x4`: of a socket that is more than a request; after `transparent-socket`. */
  | { readonly kind: "socket-mark"; readonly mark: number }
  /** `ct direction original`: from who has begun the flow. */
  | { readonly kind: "original-direction" }
  /**
   * `ip saddr . th sport . ip daddr . th dport @flows`: a packet of a flow that is in the set, which holds it as its answers are
   * addressed. After `family` and `protocol` matches.
   */
  | { readonly kind: "remembered-flow"; readonly family: Family; readonly set: string }
  /** `update @flows { ip daddr . … }`: remembers the flow, or remembers it longer, when its asker (`answer`: its answerer) sends. */
  | {
    readonly kind: "remember-flow";
    readonly family: Family;
    readonly set: string;
    readonly answer: boolean;
  }
  /** `fib saddr type != local`: somebody on this machine sends from an address that is not this machine's. */
  | { readonly kind: "foreign-source" }
  /** `meta skuid != 4294967295`: a program has sent it. Sockets of the kernel itself have no user: the rule ends for their packets. */
  | { readonly kind: "of-program" }
  /** `meta mark != 0x0` */
  | { readonly kind: "marked" }
  /** `meta mark & 0x3 == 0x3`, `meta mark & 0x3 != 0x3` */
  | { readonly kind: "mark-bits"; readonly mask: number; readonly negate: boolean }
  /** `ct state new` */
  | { readonly kind: "new-flow" }
  /** `ct mark & 0x3 == 0x3`: what an earlier packet of the flow has noted. */
  | { readonly kind: "flow-bits"; readonly mask: number }
  /** `ct mark set ct mark | 0x3`, `ct mark set ct mark & 0xfffffffc` */
  | { readonly kind: "set-flow-bits"; readonly mask: number; readonly clear: boolean }
  /** `meta length 68`: bytes of the packet, with its IP header. */
  | { readonly kind: "packet-length"; readonly bytes: number }
  /** `meta nfproto @running`: a proxy has shown itself for this family. */
  | { readonly kind: "proxy-runs"; readonly set: string }
  /** `update @running { meta nfproto }`: the proxy shows itself. */
  | { readonly kind: "proxy-shows"; readonly set: string }
  /** `meta mark 0x4`: the whole mark, as a socket gives it. */
  | { readonly kind: "mark"; readonly mark: number }
  /** `tproxy ip to 127.0.0.1:50080` */
  | { readonly kind: "tproxy"; readonly to: Endpoint }
  /** `meta mark set meta mark | 0x1` */
  | { readonly kind: "set-mark"; readonly mask: number }
  /** `notrack` */
  | { readonly kind: "notrack" }
  /** `reject with tcp reset`, `reject with icmpx port-unreachable` */
  | { readonly kind: "reject"; readonly answer: "tcp-reset" | "port-unreachable" }
  /** `accept` */
  | { readonly kind: "verdict"; readonly verdict: "accept" | "drop" | "return" }
  /** `goto intercept`: what reaches the end of that chain reaches the end of the base chain. */
  | { readonly kind: "goto"; readonly chain: string };

/** A rule of a chain, and why it is there. */
export interface PlannedRule {
  /** Matches and actions, in order. */
  readonly statements: readonly Statement[];
  /** Why it is there, for the administrator. */
  readonly reason: string;
}

/** Where a base chain is hooked into the packet's way. Its policy is `accept`. */
export interface PlannedHook {
  /** `route`: a packet whose mark the chain changes is routed again. Default: `filter`. */
  readonly type?: "route";
  /** Where in the packet's way. */
  readonly hook: "prerouting" | "input" | "forward" | "output";
  /** Lower comes first. */
  readonly priority: number;
}

/** A chain; without `hook` rules go to it. */
export interface PlannedChain {
  /** Its name. */
  readonly name: string;
  /** Where in the packet's way. */
  readonly hook?: PlannedHook;
  /** In order; the first that ends the packet's way through the chain decides. */
  readonly rules: readonly PlannedRule[];
  /** Why it is there, for the administrator. */
  readonly reason: string;
}

/** A named set: of interface names, hardware addresses, ranges of ports or of addresses. Ranges are sorted and do not touch. */
export type PlannedSet =
  & { readonly name: string; readonly reason: string }
  & (
    | { readonly type: "ifname" | "ether_addr"; readonly elements: readonly string[] }
    | {
      readonly type: "inet_service";
      readonly elements: readonly { readonly first: number; readonly last: number }[];
    }
    | { readonly type: "ipv4_addr" | "ipv6_addr"; readonly elements: readonly KeyRange[] }
    | MemorySet
  );

/** A set that packets fill: it is empty in the plan, and its content is nobody's business. */
export interface MemorySet {
  /** Flows, as their answers are addressed (source and its port, destination and its port); or address families. */
  readonly type: "ipv4_flow" | "ipv6_flow" | "nf_proto";
  /** None. */
  readonly elements: readonly [];
  /** How long an element lasts that nothing renews. */
  readonly timeoutSeconds: number;
  /** The most elements that it may hold. */
  readonly size: number;
}

/** The one table, of family inet. */
export interface PlannedTable {
  /** Its name. */
  readonly name: string;
  /** By it the table is known as ours. */
  readonly comment: string;
  /** Named sets. */
  readonly sets: readonly PlannedSet[];
  /** In an order in which every chain comes after those that it goes to. */
  readonly chains: readonly PlannedChain[];
}

/** A policy-routing rule: `ip rule add priority P fwmark M/M iif I lookup T protocol N`. */
export interface PlannedRoutingRule {
  /** Address family. */
  readonly family: Family;
  /** Lower comes first. */
  readonly priority: number;
  /** fwmark that matches (FRA_FWMARK). */
  readonly mark: number;
  /** Bits of the mark that count (FRA_FWMASK). */
  readonly mask: number;
  /** Interface that the packet comes from (FRA_IIFNAME). */
  readonly inputInterface: string;
  /** Routing table number, or the nf_tables table. */
  readonly table: number;
  /** rtnetlink protocol number: by it the entry is known as ours. */
  readonly protocol: number;
}

/** A route that delivers everything locally: `ip route add local default dev lo table T protocol N`. */
export interface PlannedRoute {
  /** Address family. */
  readonly family: Family;
  /** Routing table number, or the nf_tables table. */
  readonly table: number;
  /** rtnetlink protocol number: by it the entry is known as ours. */
  readonly protocol: number;
  /** Another program's route does the same already: it is used and left alone. */
  readonly foreign: boolean;
}

/** Everything that an install puts into the kernel. No sysctl is among it. */
export interface Plan {
  /** Routing table number, or the nf_tables table. */
  readonly table: PlannedTable;
  /** Policy-routing rules. */
  readonly routingRules: readonly PlannedRoutingRule[];
  /** Routes that deliver locally. */
  readonly routes: readonly PlannedRoute[];
  /** Interfaces whose clients are intercepted. */
  readonly lan: readonly string[];
  /** The other ones: replies to sockets with clients' addresses arrive there. */
  readonly others: readonly string[];
  /** Address families that are intercepted. */
  readonly families: readonly Family[];
  /** What the administrator should know, each one sentence without a period. */
  readonly warnings: readonly string[];
}
