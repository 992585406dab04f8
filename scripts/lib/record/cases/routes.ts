/**
 * Links, addresses, routing rules, routes. Pure.
 * @module
 */
import { type Case, ip } from "./case.ts";

/** Messages that ip writes, and that the kernel tells it. */
export const ROUTES: readonly Case[] = [
  { name: "link-up", command: ["ip", "link", "set", "dev", "lo", "up"], direction: "sent" },
  {
    name: "link-veth",
    command: ["ip", "link", "add", "a0", "type", "veth", "peer", "name", "b0", "netns", "1"],
    direction: "sent",
  },
  {
    name: "link-delete",
    setup: ["ip link add a0 type veth peer name b0"],
    command: ["ip", "link", "delete", "dev", "a0"],
    direction: "sent",
  },
  {
    name: "address-add",
    command: ["ip", "address", "add", "192.0.2.1/24", "dev", "lo"],
    direction: "sent",
  },
  {
    name: "address-add6",
    command: ["ip", "address", "add", "2001:db8::1/64", "dev", "lo", "nodad"],
    direction: "sent",
  },
  {
    name: "routing-rule-add",
    command: ip("rule add priority 500 fwmark 1/1 iif lan0 lookup 100 protocol 50"),
    direction: "sent",
  },
  {
    name: "routing-rule-add6",
    command: ip("-6 rule add priority 500 fwmark 1/1 iif lan0 lookup 1000 protocol 50"),
    direction: "sent",
  },
  {
    name: "route-add-local",
    command: ip("route add local default dev lo table 100 protocol 50"),
    direction: "sent",
  },
  {
    name: "route-add-local6",
    setup: ["ip link set lo up"],
    command: ip("-6 route add local default dev lo table 1000 protocol 50"),
    direction: "sent",
  },
  {
    name: "route-get",
    setup: ["ip link set lo up"],
    command: ip("route get 127.0.0.2 from 127.0.0.1 mark 1"),
    direction: "sent",
    index: 0,
  },
  {
    name: "dump-links",
    setup: [
      "ip link add a0 type veth peer name b0; ip link add br0 type bridge; ip link set a0 master br0 up",
    ],
    command: ["ip", "-d", "link", "show"],
    direction: "received",
  },
  {
    name: "dump-addresses",
    setup: ["ip link set lo up; ip address add 192.0.2.1 peer 192.0.2.9/32 dev lo"],
    command: ["ip", "address", "show"],
    direction: "received",
  },
  {
    name: "dump-rules",
    setup: [
      "ip rule add priority 500 fwmark 1/1 iif lan0 lookup 1000; ip rule add not from 10.0.0.0/8 dport 5 prohibit",
    ],
    command: ["ip", "rule", "show"],
    direction: "received",
  },
  {
    name: "dump-routes",
    setup: [
      "ip link set lo up; ip address add 192.0.2.1/24 dev lo; ip route add default via 192.0.2.9 metric 5; ip route add blackhole 10.0.0.0/8 table 1000",
    ],
    command: ["ip", "route", "show", "table", "all"],
    direction: "received",
  },
];
