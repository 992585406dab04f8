/**
 * Conditions: the questions that a rule of the plan asks about a packet. Pure.
 * @module
 */
import type { Protocol } from "../../../config/types.ts";
import type { Family } from "../../../net/ip.ts";

/** An address type of the routing table, as in `fib daddr type`. */
export type AddressType = "local" | "broadcast" | "anycast" | "multicast";

/**
 * One condition of a rule. The comment above each is its text in nft; iptables has words for those that
 * clients need.
 */
export type Condition =
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
  /** `th dport != @ports`; after a `protocol` condition. */
  | { readonly kind: "destination-port"; readonly set: string; readonly negate: boolean }
  /** `ip saddr @nets`, `ip6 daddr @nets`; after a `family` condition of that family. */
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
  /** `socket mark 0x4`: of a socket that is more than a request; after `transparent-socket`. */
  | { readonly kind: "socket-mark"; readonly mark: number }
  /**
   * An error from a router on the way: `icmp type destination-unreachable icmp code frag-needed`, `icmpv6
   * type packet-too-big`; or `icmp type destination-unreachable`, which has frag-needed among its codes, and
   * `icmpv6 type destination-unreachable`.
   */
  | { readonly kind: "icmp-error"; readonly family: Family; readonly error: "too-big" | "unreachable" }
  /** `ct state established,related`: conntrack takes it for a part of a flow that it knows. */
  | { readonly kind: "known-flow" }
  /** `ct state new` */
  | { readonly kind: "new-flow" }
  /** `ct direction original`: from the one who has begun the flow. */
  | { readonly kind: "original-direction" }
  /** `ct mark & 0x3 == 0x3`: an earlier packet of the flow has left this note. */
  | { readonly kind: "flow-bits"; readonly mask: number }
  /**
   * `ip saddr . th sport . ip daddr . th dport @flows`: a packet of a flow that is in the set, which holds it
   * as its answers are addressed; with `answer` the set holds it as its answerer is addressed. After `family`
   * and `protocol` conditions.
   */
  | {
    readonly kind: "remembered-flow";
    readonly family: Family;
    readonly set: string;
    readonly answer?: boolean;
  }
  /** `fib saddr type != local`: somebody on this machine sends from an address that is not this machine's. */
  | { readonly kind: "foreign-source" }
  /**
   * `meta skuid != 4294967295`: a program has sent it. Sockets of the kernel itself have no user: the rule
   * ends for their packets.
   */
  | { readonly kind: "of-program" }
  /** `meta mark != 0x0` */
  | { readonly kind: "marked" }
  /** `meta mark & 0x3 == 0x3`, `meta mark & 0x3 != 0x3` */
  | { readonly kind: "mark-bits"; readonly mask: number; readonly negate: boolean }
  /** `meta mark 0x4`: the whole mark, as a socket gives it. */
  | { readonly kind: "mark"; readonly mark: number }
  /** `meta length 68`: bytes of the packet, with its IP header. */
  | { readonly kind: "packet-length"; readonly bytes: number }
  /** `meta nfproto @running`: a proxy has shown itself for this family. */
  | { readonly kind: "proxy-runs"; readonly set: string }
  | ForwardPathCondition;

/** A condition of plans with `admission: forward-path` alone, which are made for nf_tables. */
export type ForwardPathCondition =
  /** `tcp flags != syn / fin,syn,rst,ack`: any other segment. TCP only, by itself. */
  | { readonly kind: "no-bare-syn" }
  /** `tcp flags ack / syn,rst,ack`: neither begins nor breaks a connection; after a `protocol` condition. */
  | { readonly kind: "acknowledges" }
  /**
   * `tcp flags rst / rst,ack`: the kernel answers an acknowledgement for which it has no connection; after a
   * `protocol` condition.
   */
  | { readonly kind: "resets-alone" }
  /** `tcp option 19 exists`; after a `protocol` condition. */
  | { readonly kind: "tcp-option"; readonly option: number }
  /**
   * `socket wildcard 1`: it listens on all addresses. The rule ends for sockets that are less than whole:
   * requests, and connections in TIME_WAIT.
   */
  | { readonly kind: "wildcard-socket" }
  /**
   * `tproxy to :1`: its connection has a transparent socket here, which the packet is given. After a
   * `protocol` condition.
   */
  | { readonly kind: "connected-socket" }
  /** `meta priority 7470:0`: SO_PRIORITY of the socket that has sent it. */
  | { readonly kind: "priority"; readonly priority: number }
  /** `ip ttl 1`, `ip6 hoplimit 1`; after a `family` condition. */
  | { readonly kind: "ttl"; readonly family: Family; readonly ttl: number }
  /** `ct zone 50080` */
  | { readonly kind: "zone"; readonly zone: number }
  /** `ct state new,invalid`: conntrack knows no flow that it belongs to. */
  | { readonly kind: "unknown-flow" }
  /** `ct state untracked` */
  | { readonly kind: "untracked" }
  /** `ct label 120`, `ct label ! 120`: the flow has been labelled so, or has not. */
  | { readonly kind: "flow-label"; readonly label: number; readonly negate: boolean }
  /** `@ih,0,8 >= 0x0`: there is data behind the TCP header. The rule ends where there is none. */
  | { readonly kind: "carries-data" }
  /** `ct state related`: a helper has expected the flow. */
  | { readonly kind: "related-flow" }
  /** `ct helper != "none"`: a helper reads along; the rule ends where there is none. */
  | { readonly kind: "helped-flow" }
  /** `ct status snat,dnat` */
  | { readonly kind: "translated-flow" }
  /** `ct status dnat`: NAT has changed its destination. */
  | { readonly kind: "redirected-flow" }
  /** `ct mark != 0x0`, `ct mark 0x0` */
  | { readonly kind: "marked-flow"; readonly negate: boolean }
  /**
   * `ct original ip saddr . ct original proto-src . ct original ip daddr . ct original proto-dst @asking`: as
   * its first packet came in. After `family` and `protocol` conditions.
   */
  | { readonly kind: "original-flow"; readonly family: Family; readonly set: string }
  /**
   * `th sport & 510 0-127`, with `original` `ct original proto-src & 510 0-127`: the port of the client lies
   * there with the bits that choose a worker. After a `protocol` condition of one protocol.
   */
  | {
    readonly kind: "source-port-share";
    readonly original: boolean;
    readonly mask: number;
    readonly first: number;
    readonly last: number;
  };
