/**
 * Tables, chains, sets, elements, and a dump of them all. Pure.
 * @module
 */
import type { Case } from "./case.ts";
import { CHAIN } from "./nft_rules.ts";

/** The rule set of the dump. */
export const WHOLE = `
table inet t {
  comment "ours"
  set lan { type ifname; elements = { "lan0", "lan1" } }
  set ports { type inet_service; flags interval; comment "p"; elements = { 80, 443, 8000-8100 } }
  set nets6 { type ipv6_addr; flags interval; elements = { fc00::/7 } }
  map m { type inet_service : verdict; elements = { 80 : accept, 81 : jump other } }
  set pairs { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 80-90 } }
  chain other { comment "regular"; }
  chain c {
    type filter hook prerouting priority raw - 10; policy accept;
    iifname != @lan return
    fib daddr type { local, broadcast } return comment "ours"
    meta l4proto tcp socket transparent 1 meta mark set meta mark | 1 notrack accept
    meta nfproto ipv4 tcp flags syn / fin,syn,rst,ack tproxy ip to 127.0.0.1:50080 counter
    tcp dport != 22-23 ct state established,related drop
    tcp dport @ports reject with tcp reset
    limit rate 1/second goto other
  }
}
`;

/** Objects that nft and iptables-nft write. */
export const NFT_OBJECTS: readonly Case[] = [
  { name: "table-add", command: ["nft", "add", "table", "inet", "t"], direction: "sent" },
  {
    name: "table-add-comment",
    command: ["nft", 'add table inet t { comment "ours"; flags dormant; }'],
    direction: "sent",
  },
  {
    name: "table-delete",
    setup: ["nft add table inet t"],
    command: ["nft", "delete", "table", "inet", "t"],
    direction: "sent",
  },
  {
    name: "chain-add-base",
    setup: ["nft add table inet t"],
    command: ["nft", "add chain inet t c { type filter hook prerouting priority -310; policy drop; }"],
    direction: "sent",
  },
  {
    name: "chain-add-regular",
    setup: ["nft add table inet t"],
    command: ["nft", 'add chain inet t c { comment "hi"; }'],
    direction: "sent",
  },
  {
    name: "chain-delete",
    setup: [CHAIN],
    command: ["nft", "delete", "chain", "inet", "t", "c"],
    direction: "sent",
  },
  {
    name: "chain-flush",
    setup: [CHAIN],
    command: ["nft", "flush", "chain", "inet", "t", "c"],
    direction: "sent",
  },
  {
    name: "set-ifname",
    setup: ["nft add table inet t"],
    command: ["nft", 'add set inet t lan { type ifname; elements = { "lan0", "lan1" }; }'],
    direction: "sent",
  },
  {
    name: "set-ports",
    setup: ["nft add table inet t"],
    command: [
      "nft",
      "add set inet t ports { type inet_service; flags interval; elements = { 80, 8000-8100 }; }",
    ],
    direction: "sent",
  },
  {
    name: "set-nets4",
    setup: ["nft add table inet t"],
    command: [
      "nft",
      "add set inet t n { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 192.0.2.1-192.0.2.3, 255.255.255.255 }; }",
    ],
    direction: "sent",
  },
  {
    name: "set-ether",
    setup: ["nft add table inet t"],
    command: [
      "nft",
      "add set inet t d { type ether_addr; elements = { 02:00:5e:10:00:01, 02:00:5e:10:00:02 }; }",
    ],
    direction: "sent",
  },
  {
    name: "set-flows",
    setup: ["nft add table inet t"],
    command: [
      "nft",
      "add set inet t f { type ipv4_addr . inet_service . ipv4_addr . inet_service; size 65536; flags dynamic,timeout; timeout 3m; }",
    ],
    direction: "sent",
  },
  {
    name: "set-timeout",
    setup: ["nft add table inet t"],
    command: ["nft", "add set inet t a { type inet_proto; flags timeout; timeout 2s; elements = { tcp }; }"],
    direction: "sent",
  },
  {
    name: "element-timeout",
    setup: ["nft add table inet t"],
    command: ["nft", "add set inet t a { type inet_proto; flags timeout; elements = { tcp timeout 60s }; }"],
    direction: "sent",
  },
  {
    name: "dump-element-timeout",
    setup: [
      "nft add table inet t",
      "nft add set inet t a '{ type inet_proto; flags timeout; elements = { tcp timeout 60s }; }'",
    ],
    command: ["nft", "list set inet t a"],
    direction: "received",
  },
  {
    name: "rule-insert",
    setup: [CHAIN, "nft add rule inet t c accept"],
    command: ["nft", "insert rule inet t c return"],
    direction: "sent",
  },
  {
    name: "set-nets",
    setup: ["nft add table inet t"],
    command: [
      "nft",
      "add set inet t n { type ipv6_addr; flags interval; elements = { fc00::/7, ff00::/8 }; }",
    ],
    direction: "sent",
  },
  {
    name: "set-concatenation",
    setup: ["nft add table inet t"],
    command: ["nft", "add set inet t d { type inet_proto . inet_service; elements = { tcp . 80 }; }"],
    direction: "sent",
  },
  {
    name: "set-concatenation-interval",
    setup: ["nft add table inet t"],
    command: [
      "nft",
      "add set inet t d { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 80-90 }; }",
    ],
    direction: "sent",
  },
  {
    name: "map-verdict",
    setup: [CHAIN],
    command: [
      "nft",
      "add map inet t m { type inet_service : verdict; elements = { 80 : accept, 81 : jump c }; }",
    ],
    direction: "sent",
  },
  {
    name: "element-delete",
    setup: ["nft add table inet t; nft add set inet t lan '{ type ifname; elements = { \"lan0\" }; }'"],
    command: ["nft", 'delete element inet t lan { "lan0" }'],
    direction: "sent",
  },
  {
    name: "rule-delete",
    setup: [CHAIN, "nft add rule inet t c accept"],
    command: ["nft", "delete", "rule", "inet", "t", "c", "handle", "3"],
    direction: "sent",
  },
  {
    name: "compat-target",
    command: ["iptables-nft", ..."-t mangle -A PREROUTING -p tcp -j TPROXY --on-port 50080".split(" ")],
    direction: "sent",
    index: 0,
  },
  {
    name: "dump-ruleset",
    setup: ["whole"],
    command: ["nft", "-a", "list", "ruleset"],
    direction: "received",
  },
  {
    name: "compat-match",
    command: ["ip6tables-nft", ..."-t mangle -A PREROUTING -m socket --transparent".split(" ")],
    direction: "sent",
    index: 0,
  },
];
