/**
 * Routes whose way is more than a gateway of their own family. Pure.
 * @module
 */
import { type Case, ip } from "./case.ts";

/** Two links with addresses. */
const LINKS = [
  "ip link set lo up; ip link add w0 type veth peer name p0; ip link add w1 type veth peer name p1",
  "ip link set w0 up; ip link set p0 up; ip link set w1 up; ip link set p1 up",
  "ip address add 192.0.2.1/25 dev w0; ip address add 192.0.2.129/25 dev w1",
  "ip -6 address add 2001:db8::1/64 dev w0 nodad",
];

/** Routes that ip writes, and that the kernel tells it. */
export const NEXT_HOPS: readonly Case[] = [
  {
    name: "route-add-via6",
    setup: LINKS,
    command: ip("route add 198.51.100.0/24 via inet6 fe80::1 dev w0 metric 5 protocol 50"),
    direction: "sent",
  },
  {
    name: "route-add-tos",
    setup: LINKS,
    command: ip("route add 198.51.100.0/24 tos 0x10 via 192.0.2.9 dev w0 protocol 50"),
    direction: "sent",
  },
  {
    name: "route-add-onlink",
    setup: LINKS,
    command: ip("route add 198.51.100.0/24 via 203.0.113.1 dev w0 protocol 50 onlink"),
    direction: "sent",
  },
  {
    name: "route-add-encap",
    setup: LINKS,
    command: ip("route add 198.51.100.0/24 encap ip id 7 dst 203.0.113.1 dev w0 protocol 50"),
    direction: "sent",
  },
  {
    name: "route-add-hops",
    setup: LINKS,
    command: ip(
      "route add 198.51.100.0/24 protocol 50 nexthop via 192.0.2.9 dev w0 weight 2 " +
        "nexthop via 203.0.113.1 dev w1 onlink",
    ),
    direction: "sent",
  },
  {
    name: "dump-next-hops",
    setup: [
      ...LINKS,
      "ip route add 198.51.100.0/24 nexthop via 192.0.2.9 dev w0 nexthop via 192.0.2.200 dev w1 weight 3",
      "ip route add 198.51.100.0/25 via inet6 fe80::1 dev w0; ip route add 203.0.113.0/24 tos 0x10 dev w0",
      "ip route add 203.0.113.0/25 encap ip id 7 dst 203.0.113.1 dev w0",
      "ip route add 203.0.113.128/25 via 203.0.113.129 dev w0 onlink; ip link set w1 down",
    ],
    command: ip("route save table main"),
    direction: "received",
  },
  {
    name: "dump-next-hops6",
    setup: [
      ...LINKS,
      "ip -6 address add 2001:db8:1::1/64 dev w1 nodad",
      "ip -6 route add 2001:db8:2::/48 nexthop via 2001:db8::9 dev w0 nexthop via 2001:db8:1::9 dev w1 weight 3",
      "ip link set p1 down",
    ],
    command: ip("-6 route save 2001:db8:2::/48"),
    direction: "received",
  },
];
