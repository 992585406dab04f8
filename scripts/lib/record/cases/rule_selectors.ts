/**
 * Routing rules that ask for more than a mark and an interface, and that do more than look up a table. Pure.
 * @module
 */
import { type Case, ip } from "./case.ts";

/** Rules that ip writes, and that the kernel tells it. */
export const RULE_SELECTORS: readonly Case[] = [
  {
    name: "routing-rule-selectors",
    command: ip(
      "rule add not from 10.0.0.0/8 to 192.0.2.0/24 tos 0x10 priority 500 fwmark 1/3 iif lan0 oif wan0 " +
        "uidrange 100-200 ipproto udp sport 1000-2000 dport 53 lookup 1000 protocol 50",
    ),
    direction: "sent",
  },
  {
    name: "routing-rule-suppress",
    command: ip("rule add priority 500 lookup main suppress_prefixlength 0 suppress_ifgroup 7 protocol 50"),
    direction: "sent",
  },
  {
    name: "routing-rule-realms",
    command: ip("rule add priority 500 realms 3/4 lookup 100 protocol 50"),
    direction: "sent",
  },
  {
    name: "routing-rule-goto",
    command: ip("rule add priority 500 goto 600 protocol 50"),
    direction: "sent",
  },
  { name: "routing-rule-l3mdev", command: ip("rule add priority 500 l3mdev protocol 50"), direction: "sent" },
  {
    name: "routing-rule-blackhole",
    command: ip("-6 rule add priority 500 iif lan0 blackhole protocol 50"),
    direction: "sent",
  },
  {
    name: "dump-rule-selectors",
    setup: [
      "ip rule add priority 1 tos 0x10 lookup 100; ip rule add priority 2 uidrange 100-200 lookup 100",
      "ip rule add priority 3 ipproto udp sport 1000-2000 dport 53 lookup 100",
      "ip rule add priority 4 lookup main suppress_prefixlength 0 suppress_ifgroup 7",
      "ip rule add priority 5 realms 3/4 lookup 100; ip rule add priority 6 goto 32766",
      "ip rule add priority 7 oif wan0 blackhole; ip rule add priority 8 l3mdev",
    ],
    command: ip("rule show"),
    direction: "received",
  },
];
