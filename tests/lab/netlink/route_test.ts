/** Rules and routes of src/netlink/route against the real kernel and ip, both ways. */
import assert from "node:assert/strict";
import { OperationError } from "../../../src/net/error.ts";
import { parseIp, parsePrefix } from "../../../src/net/ip.ts";
import { findLink, listLinks, setLinkUp } from "../../../src/netlink/route/link.ts";
import {
  addRoute,
  deleteRoute,
  listRoutes,
  type Route,
  ROUTE_SCOPE,
} from "../../../src/netlink/route/route.ts";
import { RULE_ACTIONS } from "../../../src/netlink/route/rule_action.ts";
import { lookUpRoute } from "../../../src/netlink/route/route_question.ts";
import {
  addRule,
  deleteRule,
  listRules as listRoutingRules,
  type RoutingRule,
} from "../../../src/netlink/route/rule.ts";
import { openNetlink } from "../../../src/netlink/transport.ts";

import { json, labTest, run } from "./new_network.ts";
labTest("addRule() and addRoute() do what ip shows, deleteRule() and deleteRoute() undo it", () => {
  using connection = openNetlink("route");
  const before = ["-4", "-6"].map((option) => run("ip", [option, "rule"]));
  setLinkUp(connection, 1);
  for (const [routeFamily, option, scope] of [["ipv4", "-4", ROUTE_SCOPE.host], ["ipv6", "-6", 0]] as const) {
    const rule: RoutingRule = {
      family: routeFamily,
      priority: 500,
      mark: 1,
      mask: 3,
      iifname: "lan0",
      table: 1000,
      protocol: 50,
    };
    const route: Route = {
      family: routeFamily,
      table: 1000,
      type: "local",
      outLinkIndex: 1,
      protocol: 50,
      scope,
    };
    addRule(connection, rule);
    addRoute(connection, route);
    const [shown] = json(option, "rule", "show", "priority", "500");
    assert.deepEqual(
      [shown.fwmark, shown.fwmask, shown.iif, shown.table, shown.protocol],
      ["0x1", "0x3", "lan0", "1000", "50"],
    );
    assert.match(run("ip", [option, "route", "show", "table", "1000"]), /^local default dev lo proto 50 /);
    assert.throws(
      () => addRule(connection, rule),
      /Cannot add routing rule ".* fwmark 0x1\/0x3 iif lan0 lookup 1000": EEXIST/,
    );
    assert.throws(
      () => addRoute(connection, route),
      /Cannot add route "ipv\d local default table 1000": EEXIST/,
    );
    assert.deepEqual(listRoutingRules(connection, routeFamily).filter(({ protocol }) => protocol === 50), [
      rule,
    ]);
    const [found] = listRoutes(connection, { family: routeFamily, table: 1000 });
    assert.deepEqual([found.type, found.protocol, found.outLinkIndex], ["local", 50, 1]);
    deleteRoute(connection, route);
    deleteRule(connection, rule);
    assert.throws(() => deleteRule(connection, rule), OperationError);
    assert.deepEqual(listRoutes(connection, { family: routeFamily, table: 1000 }), []);
  }
  assert.deepEqual(["-4", "-6"].map((option) => run("ip", [option, "rule"])), before);
});

labTest("addRule() and listRules() agree with the kernel on each selector and action", () => {
  using connection = openNetlink("route");
  const plain: RoutingRule = { family: "ipv4", priority: 500, mark: 0, mask: 0, table: 100, protocol: 50 };
  const plain6: RoutingRule = { ...plain, family: "ipv6" };
  const rules: [since: string, rule: RoutingRule][] = [
    ["", { ...plain, from: parsePrefix("10.0.0.0/8")!, to: parsePrefix("192.0.2.0/24")!, inverted: true }],
    ["", { ...plain, tos: 0x10, oifname: "wan0" }],
    ["", {
      ...plain6,
      ipProtocol: 17,
      sourcePorts: { first: 1000, last: 2000 },
      users: { first: 1, last: 2 },
    }],
    ["", { ...plain, destinationPorts: { first: 53, last: 53 }, tunnelId: 0x1234567890n }],
    ["", { ...plain, table: 254, suppressPrefixLength: 0, suppressInterfaceGroup: 7 }],
    ["", { ...plain, realms: { source: 3, destination: 4 } }],
    ["", { ...plain, table: 0, action: RULE_ACTIONS.goto, goto: 32766 }],
    ["", { ...plain6, table: 0, action: RULE_ACTIONS.prohibit }],
    ["", { ...plain, table: 0, l3mdev: true }],
    ["6.12", { ...plain, dscp: { value: 46 } }],
    ["6.14", { ...plain6, flowLabel: { value: 0x12000, mask: 0xff000 } }],
    ["6.15", { ...plain, ipProtocol: 6, sourcePorts: { first: 0x1000, last: 0x1000, mask: 0xf000 } }],
    ["6.15", { ...plain6, dscp: { value: 0x28, mask: 0x38 } }],
  ];
  for (const [since, rule] of rules.filter(([since]) => isKernel(since))) {
    addRule(connection, rule);
    const ours = () => listRoutingRules(connection, rule.family).filter(({ protocol }) => protocol === 50);
    assert.deepEqual(ours(), [rule], since);
    // The same without what it asks for is another rule.
    const { family: ruleFamily, priority, mark, mask, table: number, action, goto, protocol } = rule;
    const wide = { family: ruleFamily, priority, mark, mask, table: number, protocol };
    addRule(connection, {
      ...wide,
      ...(action === undefined ? {} : { action }),
      ...(goto ? { goto } : {}),
      iifname: "x",
    });
    assert.equal(ours().length, 2);
    deleteRule(connection, rule);
    assert.deepEqual(ours().map(({ iifname }) => iifname), ["x"]);
    deleteRule(connection, ours()[0]);
  }
});

/** Tells whether the kernel is so new: `"6.12"`; the empty string for all. */
function isKernel(since: string): boolean {
  const [major, minor] = since.split(".").map(Number);
  const [ownMajor, ownMinor] = Deno.osRelease().split(".").map((part) => parseInt(part));
  return since === "" || ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

labTest(
  "addRoute() and listRoutes() agree with the kernel on gateways of the other family and several hops",
  () => {
    using connection = openNetlink("route");
    for (
      const line of [
        "link set lo up",
        "link add a0 type veth peer name b0",
        "link add a1 type veth peer name b1",
        "link set a0 up",
        "link set a1 up",
        "link set b0 up",
        "link set b1 up",
        "address add 192.0.2.1/24 dev a0",
      ]
    ) run("ip", line.split(" "));
    const [a0, a1] = ["a0", "a1"].map((name) => findLink(connection, name)!.index);
    const destination = parsePrefix("198.51.100.0/24")!;
    const plain: Route = {
      family: "ipv4",
      table: 1000,
      type: "unicast",
      destination,
      protocol: 50,
      scope: 0,
    };
    const routes: Route[] = [
      { ...plain, gateway: parseIp("fe80::1")!, outLinkIndex: a0 },
      { ...plain, tos: 0x10, gateway: parseIp("192.0.2.9")!, outLinkIndex: a0 },
      { ...plain, gateway: parseIp("203.0.113.1")!, onLink: true, outLinkIndex: a1 },
      {
        ...plain,
        nextHops: [
          { outLinkIndex: a0, weight: 3, gateway: parseIp("fe80::1")! },
          { outLinkIndex: a1, weight: 1, gateway: parseIp("203.0.113.1")!, onLink: true },
        ],
      },
    ];
    for (const route of routes) {
      addRoute(connection, route);
      const ours = () => listRoutes(connection, { family: "ipv4", table: 1000 });
      assert.deepEqual(ours(), [route]);
      deleteRoute(connection, route);
      assert.deepEqual(ours(), []);
    }
    addRoute(connection, routes[3]);
    run("ip", ["link", "set", "a1", "down"]);
    const [{ nextHops }] = listRoutes(connection, { family: "ipv4", table: 1000 });
    assert.deepEqual(nextHops?.map(({ dead, linkDown }) => [dead, linkDown]), [[undefined, undefined], [
      true,
      true,
    ]]);
  },
);

labTest("listRules(), listRoutes() and lookUpRoute() read what ip wrote", () => {
  using connection = openNetlink("route");
  for (
    const line of [
      "link set lo up",
      "link add a0 type veth peer name b0",
      "link set a0 up",
      "link set b0 up",
      "address add 192.0.2.1/24 dev a0",
      "route add default via 192.0.2.9 metric 7",
      "route add local 0.0.0.0/0 dev lo table 100",
      "rule add fwmark 0x10/0xf0 lookup 100 priority 77",
      "rule add not from 10.0.0.0/8 to 9.9.9.9 oif a0 lookup 1234 priority 78",
    ]
  ) run("ip", line.split(" "));
  const rules = listRoutingRules(connection, "ipv4");
  const shown = json("rule", "show").map(({ priority }) => priority);
  assert.deepEqual(rules.map(({ priority }) => priority), shown);
  assert.deepEqual([rules[1].mark, rules[1].mask, rules[1].table], [0x10, 0xf0, 100]);
  assert.deepEqual([rules[2].inverted, rules[2].oifname, rules[2].table, rules[2].to?.length], [
    true,
    "a0",
    1234,
    32,
  ]);
  const link = findLink(connection, "a0")!;
  const routes = listRoutes(connection, { family: "ipv4", table: 254 });
  const gateway = routes.find((route) => route.destination === undefined);
  assert.deepEqual([gateway?.priority, gateway?.outLinkIndex, gateway?.gateway], [
    7,
    link.index,
    parseIp("192.0.2.9"),
  ]);
  const to = parseIp("198.51.100.1")!;
  const plain = lookUpRoute(connection, { to });
  assert.deepEqual([plain.type, plain.outLinkIndex, plain.gateway], [
    "unicast",
    link.index,
    parseIp("192.0.2.9"),
  ]);
  assert.equal(lookUpRoute(connection, { to, mark: 0x10 }).type, "local");
  const lo = lookUpRoute(connection, { to: parseIp("192.0.2.1")!, from: parseIp("192.0.2.1")! });
  assert.equal(lo.type, "local");
  run("ip", ["link", "delete", "a0"]);
  assert.throws(() => lookUpRoute(connection, { to }), /Cannot look up route to "198.51.100.1": ENETUNREACH/);
});

labTest("listRules() of IPv6 and listLinks() agree with ip", () => {
  using connection = openNetlink("route");
  run("ip", ["link", "add", "br0", "type", "bridge"]);
  run("ip", ["link", "add", "a0", "mtu", "1400", "type", "veth", "peer", "name", "b0"]);
  run("ip", ["link", "set", "a0", "master", "br0", "up"]);
  const links = listLinks(connection);
  const shown = json("link", "show");
  assert.deepEqual(
    links.map(({ index, name, mtu, mac }) => [index, name, mtu, mac]),
    shown.map(({ ifindex, ifname, mtu, address }) => [ifindex, ifname, mtu, address]),
  );
  const bridge = links.find(({ kind }) => kind === "bridge");
  assert.deepEqual(links.find(({ name }) => name === "a0")?.master, bridge?.index);
  assert.deepEqual(
    listRoutingRules(connection, "ipv6").map(({ priority, table: number }) => [priority, number]),
    [[0, 255], [32766, 254]],
  );
});
