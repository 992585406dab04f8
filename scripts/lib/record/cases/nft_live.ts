/**
 * Rules as a running proxy has them; see tests/unit/netlink/nft/live_wire_test.ts. Pure.
 * @module
 */
import type { Case } from "./case.ts";
import { CHAIN, nftRule } from "./nft_rules.ts";

const FLOWS = "nft add set inet t flows '{ type ipv4_addr . inet_service . ipv4_addr . inet_service; " +
  "size 4096; flags dynamic,timeout; timeout 5s; }'";
const FLOWS6 = FLOWS.replace("flows", "flows6").replaceAll("ipv4", "ipv6");
const NAT = "nft add chain inet t n '{ type nat hook postrouting priority 90; }'";

function liveRule(name: string, rule: string): Case {
  return { ...nftRule(`live-${name}`, rule), setup: [CHAIN, FLOWS, FLOWS6, NAT] };
}

const TUPLE = "ct original ip saddr . ct original proto-src . ct original ip daddr . ct original proto-dst";

/** Rules of the live table as nft writes them, and the table itself. */
export const NFT_LIVE: readonly Case[] = [
  {
    name: "table-add-owner",
    // nft 1.0.6 adds the flag only as a part of a table with contents.
    command: ["nft", 'add table inet t { flags owner; comment "ours"; }'],
    direction: "sent",
  },
  liveRule("original", `meta l4proto tcp ${TUPLE} @flows accept`),
  liveRule("original6", `meta l4proto udp ${TUPLE.replaceAll(" ip ", " ip6 ")} @flows6 accept`),
  liveRule("source-port", "meta l4proto tcp ct original proto-src & 510 == 256 accept"),
  liveRule("zone", "ct zone 50080 accept"),
  liveRule("set-zone", "ct zone set 50080"),
  liveRule("untracked", "ct state untracked accept"),
  liveRule("priority", "meta priority 7470:0 accept"),
  liveRule("ttl", "meta nfproto ipv4 ip ttl 1 accept"),
  liveRule("hop-limit", "meta nfproto ipv6 ip6 hoplimit 2 accept"),
  liveRule("tcp-option", "meta l4proto tcp tcp option 19 exists counter accept"),
  liveRule("wildcard", "socket wildcard 1 accept"),
  liveRule("log", 'log prefix "p" group 50081 snaplen 128 queue-threshold 1'),
  liveRule("log-plain", "log group 7"),
  liveRule("write-transport", "meta l4proto tcp @th,128,16 set 5"),
  liveRule("write-network", "@nh,32,32 set 5"),
  liveRule("nat-itself", "meta nfproto ipv4 snat ip to ip saddr"),
  liveRule("nat-itself6", "meta nfproto ipv6 dnat ip6 to ip6 daddr"),
  liveRule("nat-port", "meta nfproto ipv4 meta l4proto tcp snat ip to ip saddr : tcp sport"),
  liveRule("reject-host", "reject with icmpx host-unreachable"),
  liveRule("reject-icmp", "meta nfproto ipv4 reject with icmp host-unreachable"),
  liveRule(
    "update",
    "meta nfproto ipv4 meta l4proto udp update @flows { ip saddr . th sport . ip daddr . th dport timeout 3s }",
  ),
];
