/**
 * Rules as the plan of an install has them; see tests/unit/kernel/nft/lower_test.ts. Pure.
 * @module
 */
import type { Case } from "./case.ts";
import { CHAIN, LAN, nftRule, PORTS } from "./nft_rules.ts";

const NETS = "nft add set inet t nets '{ type ipv4_addr; flags interval; }'";
const NETS6 = "nft add set inet t nets6 '{ type ipv6_addr; flags interval; }'";
const MACS = "nft add set inet t macs '{ type ether_addr; }'";
const FLOWS =
  "nft add set inet t flows '{ type ipv4_addr . inet_service . ipv4_addr . inet_service; size 65536; " +
  "flags dynamic,timeout; timeout 3m; }'";
const FLOWS6 = FLOWS.replace("flows", "flows6").replaceAll("ipv4", "ipv6");
const RUNNING = "nft add set inet t running '{ type nf_proto; size 2; flags dynamic,timeout; timeout 2s; }'";

function plannedRule(name: string, rule: string): Case {
  const setup = [CHAIN, PORTS, LAN, NETS, NETS6, MACS, FLOWS, FLOWS6];
  return { ...nftRule(`planned-${name}`, rule), setup };
}

/** A rule of what `intercept.router-traffic` adds. */
function plannedRouterRule(name: string, rule: string): Case {
  const { setup, ...planned } = plannedRule(name, rule);
  return { ...planned, setup: [...setup!, RUNNING] };
}

const MARKS =
  "nft add map inet t marks '{ type ipv4_addr . inet_service . ipv4_addr . inet_service : mark; " +
  "size 65536; flags dynamic,timeout; timeout 10s; }'";
const MARKS6 = MARKS.replace("marks", "marks6").replaceAll("ipv4", "ipv6");

/** A rule about the marks of flows. */
function plannedMarkRule(name: string, rule: string): Case {
  return { ...nftRule(`planned-${name}`, rule), setup: [CHAIN, MARKS, MARKS6] };
}

/** Rules of the plan as nft writes them. */
export const PLANNED_RULES: readonly Case[] = [
  plannedRule("interface-name", 'iifname != "lan0" fib daddr type != local return'),
  plannedRule("addresses", "meta nfproto ipv4 ip saddr @nets ip daddr @nets goto other"),
  plannedRule("addresses6", "meta nfproto ipv6 ip6 saddr @nets6 ip6 daddr @nets6 accept"),
  plannedRule("hardware-address", "ether saddr @macs drop"),
  plannedRule("socket-mark", "meta l4proto tcp socket transparent 1 socket mark 0x4 notrack accept"),
  plannedRule("mark", "meta mark 0x4 notrack"),
  plannedRule(
    "every-matcher",
    "meta nfproto ipv4 meta l4proto tcp th dport @ports iifname @lan ether saddr @macs ip saddr @nets drop",
  ),
  plannedRule(
    "icmp-too-big",
    "icmp type destination-unreachable icmp code frag-needed socket transparent 1 accept",
  ),
  plannedRule("icmp6-too-big", "icmpv6 type packet-too-big socket transparent 1 accept"),
  plannedRule("icmp-unreachable", "icmp type destination-unreachable accept"),
  plannedRule("icmp6-unreachable", "icmpv6 type destination-unreachable accept"),
  plannedRule("known-flow", "meta l4proto udp ct state established,related accept"),
  plannedRule(
    "remember-flow",
    'oifname "lan0" meta nfproto ipv4 meta l4proto udp ct direction original ' +
      "update @flows { ip daddr . th dport . ip saddr . th sport }",
  ),
  plannedRule(
    "remember-flow6",
    "meta nfproto ipv6 meta l4proto udp update @flows6 { ip6 daddr . th dport . ip6 saddr . th sport }",
  ),
  plannedRule(
    "known-flow-set",
    "meta nfproto ipv4 meta l4proto udp ip saddr . th sport . ip daddr . th dport @flows " +
      "update @flows { ip saddr . th sport . ip daddr . th dport } accept",
  ),
  plannedRouterRule(
    "router-new",
    "tcp flags syn / fin,syn,rst,ack ct state new meta skuid != 4294967295 goto other",
  ),
  plannedRouterRule("router-marked", "meta mark != 0x0 fib saddr type != local return"),
  plannedRouterRule(
    "router-flow",
    "ct direction original ct mark & 0x3 == 0x3 meta mark set meta mark | 0x3 accept",
  ),
  plannedRouterRule("router-forget", "ct mark & 0x3 == 0x3 ct mark set ct mark & 0xfffffffc"),
  plannedRouterRule("router-take", "meta nfproto @running ct mark set ct mark | 0x3 accept"),
  plannedRouterRule("router-loopback", "meta mark & 0x3 != 0x3 return"),
  plannedRouterRule(
    "router-show",
    'oifname "lo" meta mark 0x4 meta l4proto udp meta length 68 update @running { meta nfproto }',
  ),
  plannedRule("no-bare-syn", "tcp flags != syn / fin,syn,rst,ack ct state invalid,new goto other"),
  plannedRule("acknowledges", "meta nfproto ipv4 meta l4proto tcp tcp flags ack / syn,rst,ack accept"),
  plannedRule("resets-alone", "meta nfproto ipv4 meta l4proto tcp tcp flags rst / rst,ack drop"),
  plannedRule(
    "watched-flow",
    "ct label 120 ct label ! 121 ct direction original @ih,0,8 >= 0x0 goto other",
  ),
  plannedRule("label-flow", "ct label set 120"),
  plannedRule("reset-option", "meta l4proto tcp tcp option 34 exists reset tcp option 34"),
  plannedRule(
    "tcp-option",
    "meta mark & 0x4 == 0x4 meta l4proto tcp tcp option 29 exists counter meta mark set meta mark & 0xfffffffb accept",
  ),
  plannedRule("wildcard-socket", "socket wildcard 1 accept"),
  plannedRule("client-zone", "meta priority 7470:0 ct zone set 50080 accept"),
  plannedRule("restore-mark", "meta priority 7471:0 meta mark set socket mark accept"),
  plannedRule("take-own", "ct zone 50080 meta mark set meta mark & 0xfffffff8 | 0x3 accept"),
  plannedRule("unmark", "ct zone 50080 meta mark != 0x0 meta mark set meta mark & 0x0 accept"),
  plannedRule("ttl", "meta nfproto ipv4 ip ttl 2 reject with icmpx host-unreachable"),
  plannedRule("hop-limit", "meta nfproto ipv6 ip6 hoplimit 3 reject with icmpx no-route"),
  plannedRule("untracked", "ct state untracked accept"),
  plannedRule("helped", "ct status 0x2000 accept"),
  plannedRule("related", "ct state related accept"),
  plannedRule("translated", "ct status snat,dnat goto other"),
  plannedRule("redirected", "ct status dnat goto other"),
  plannedRule(
    "original-flow",
    "meta nfproto ipv4 meta l4proto tcp ct original ip saddr . ct original proto-src . " +
      "ct original ip daddr . ct original proto-dst @flows goto other",
  ),
  plannedRule(
    "original-flow6",
    "meta nfproto ipv6 meta l4proto udp ct original ip6 saddr . ct original proto-src . " +
      "ct original ip6 daddr . ct original proto-dst @flows6 goto other",
  ),
  plannedRule("question", 'th sport & 510 128-254 log prefix "p" group 50081 queue-threshold 1 drop'),
  plannedRule(
    "question-translated",
    'meta l4proto tcp ct original proto-src & 510 0-126 log prefix "s" group 50080 queue-threshold 1 drop',
  ),
  plannedRule("keep-destination", "ct zone 50080 meta nfproto ipv4 dnat ip to ip daddr"),
  plannedRule("keep-source", "ct zone 50080 meta nfproto ipv6 snat ip6 to ip6 saddr"),
  plannedMarkRule(
    "note-mark",
    "meta nfproto ipv4 meta l4proto tcp ct mark != 0x0 " +
      "add @marks { ip saddr . th sport . ip daddr . th dport : ct mark }",
  ),
  plannedMarkRule(
    "forget-mark",
    "meta nfproto ipv4 meta l4proto udp delete @marks { ip saddr . th sport . ip daddr . th dport : ct mark }",
  ),
  plannedMarkRule(
    "note-original-mark",
    "meta nfproto ipv4 meta l4proto tcp add @marks { ct original ip saddr . ct original proto-src . " +
      "ct original ip daddr . ct original proto-dst : ct mark }",
  ),
  plannedMarkRule(
    "recall-mark",
    "meta nfproto ipv4 meta l4proto tcp " +
      "ct mark set ip saddr . th sport . ip daddr . th dport map @marks",
  ),
  plannedMarkRule(
    "recall-mark6",
    "meta nfproto ipv6 meta l4proto udp " +
      "ct mark set ip6 daddr . th dport . ip6 saddr . th sport map @marks6",
  ),
  plannedRule("block-tcp", "tcp flags syn / fin,syn,rst,ack reject with tcp reset"),
  plannedRule("block-udp", "meta l4proto udp reject with icmpx port-unreachable"),
];
