import assert from "node:assert/strict";
import { formatIp, formatPrefix, parseIp, parsePrefix } from "../../../../src/net/ip.ts";
import { decodeAddress, encodeAddress } from "../../../../src/netlink/route/address.ts";
import {
  decodeLink,
  encodeLinkIndex,
  encodeLinkState,
  encodeVeth,
} from "../../../../src/netlink/route/link.ts";
import {
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTM_NEWROUTE,
  RTM_NEWRULE,
} from "../../../../src/netlink/route/message.ts";
import { decodeRoute, encodeRoute, type Route, ROUTE_SCOPE } from "../../../../src/netlink/route/route.ts";
import { encodeRouteQuestion } from "../../../../src/netlink/route/route_question.ts";
import {
  decodeRoutingRule,
  encodeRoutingRule,
  type RoutingRule,
} from "../../../../src/netlink/route/rule.ts";
import { assertRecorded, recordedMessages } from "../wire.ts";

/** Compares a body with the one message that ip sent; the flags are connection's business. */
function assertSent(name: string, body: Uint8Array): Uint8Array {
  const recorded = recordedMessages(name);
  assertRecorded([{ type: recorded[0].type, body }], recorded);
  return recorded[0].body;
}

function received<T>(name: string, details: { type: number; decode: (body: Uint8Array) => T }): T[] {
  return recordedMessages(name).filter(({ type }) => type === details.type).map(({ body }) =>
    details.decode(body)
  );
}

Deno.test("encodeLinkState() writes what ip link set up writes", () => {
  assertSent("link-up", encodeLinkState(1, true));
});

Deno.test("encodeVeth() writes what ip link add type veth writes", () => {
  assertSent("link-veth", encodeVeth({ name: "a0", peer: "b0", peerNamespacePid: 1 }));
});

Deno.test("encodeLinkIndex() writes what ip link delete writes", () => {
  assertSent("link-delete", encodeLinkIndex(3));
});

Deno.test("encodeAddress() and decodeAddress() agree with ip address add", () => {
  const address = { linkIndex: 1, prefix: parsePrefix("192.0.2.1/24")! };
  assert.deepEqual(decodeAddress(assertSent("address-add", encodeAddress(address))), address);
  const address6 = { linkIndex: 1, prefix: parsePrefix("2001:db8::1/64")!, noDad: true };
  assert.deepEqual(decodeAddress(assertSent("address-add6", encodeAddress(address6))), address6);
});

Deno.test("encodeRoutingRule() and decodeRoutingRule() agree with ip rule add", () => {
  const common = { priority: 500, mark: 1, mask: 1, iifname: "lan0", protocol: 50 };
  const rule: RoutingRule = { family: "ipv4", table: 100, ...common };
  assert.deepEqual(decodeRoutingRule(assertSent("routing-rule-add", encodeRoutingRule(rule))), rule);
  const rule6: RoutingRule = { family: "ipv6", table: 1000, ...common };
  assert.deepEqual(decodeRoutingRule(assertSent("routing-rule-add6", encodeRoutingRule(rule6))), rule6);
});

Deno.test("encodeRoute() and decodeRoute() agree with ip route add", () => {
  const route: Route = {
    family: "ipv4",
    table: 100,
    type: "local",
    outLinkIndex: 1,
    protocol: 50,
    scope: ROUTE_SCOPE.host,
  };
  assert.deepEqual(decodeRoute(assertSent("route-add-local", encodeRoute(route))), route);
  const route6: Route = {
    ...route,
    family: "ipv6",
    table: 1000,
    scope: ROUTE_SCOPE.universe,
    destination: parsePrefix("::/0")!, // ip writes it out for IPv6; the kernel takes it either way
  };
  assert.deepEqual(decodeRoute(assertSent("route-add-local6", encodeRoute(route6))), route6);
});

Deno.test("encodeRouteQuestion() asks what ip route get asks", () => {
  const question = { to: parseIp("127.0.0.2")!, from: parseIp("127.0.0.1")!, mark: 1 };
  const [recorded] = recordedMessages("route-get");
  const expected = recorded.body.slice();
  expected[9] &= ~0x10; // RTM_F_LOOKUP_TABLE: ip wants to know the table
  assertRecorded([{ type: recorded.type, body: encodeRouteQuestion(question) }], [{
    ...recorded,
    body: expected,
  }]);
});

Deno.test("decodeLink() reads a kernel's dump", () => {
  const links = received("dump-links", { type: RTM_NEWLINK, decode: decodeLink });
  const bridge = links.find((link) => link.name === "br0");
  assert.deepEqual(
    links.map(({ name, kind, up, loopback, mtu, master }) => ({ name, kind, up, loopback, mtu, master })),
    [
      { name: "lo", kind: "", up: false, loopback: true, mtu: 65536, master: undefined },
      { name: "b0", kind: "veth", up: false, loopback: false, mtu: 1500, master: undefined },
      { name: "a0", kind: "veth", up: true, loopback: false, mtu: 1500, master: bridge?.index },
      { name: "br0", kind: "bridge", up: false, loopback: false, mtu: 1500, master: undefined },
    ],
  );
  assert.match(bridge!.mac, /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
});

Deno.test("decodeAddress() reads a kernel's dump", () => {
  const addresses = received("dump-addresses", { type: RTM_NEWADDR, decode: decodeAddress });
  assert.deepEqual(
    addresses.map((address) =>
      `${formatPrefix(address!.prefix)}${address!.peer ? ` peer ${formatPrefix(address!.peer)}` : ""}`
    ),
    ["127.0.0.1/8", "192.0.2.1/32 peer 192.0.2.9/32", "::1/128"],
  );
});

Deno.test("decodeRoutingRule() reads a kernel's dump", () => {
  const rules = received("dump-rules", { type: RTM_NEWRULE, decode: decodeRoutingRule });
  assert.deepEqual(rules.map((rule) => [rule!.priority, rule!.table]), [
    [0, 255],
    [499, 0],
    [500, 1000],
    [32766, 254],
    [32767, 253],
  ]);
  const prohibit = rules[1]!;
  assert.deepEqual([
    prohibit.action,
    prohibit.inverted,
    prohibit.destinationPorts,
    formatPrefix(prohibit.from!),
  ], [
    8,
    true,
    { first: 5, last: 5 },
    "10.0.0.0/8",
  ]);
});

Deno.test("decodeRoute() reads a kernel's dump", () => {
  const routes = received("dump-routes", { type: RTM_NEWROUTE, decode: decodeRoute });
  const gateway = routes.find((route) => route?.gateway !== undefined);
  assert.deepEqual([formatIp(gateway!.gateway!), gateway!.priority, gateway!.destination], [
    "192.0.2.9",
    5,
    undefined,
  ]);
  const blackhole = routes.find((route) => route?.type === "blackhole");
  assert.deepEqual([formatPrefix(blackhole!.destination!), blackhole!.table], ["10.0.0.0/8", 1000]);
  assert.ok(routes.some((route) => route?.type === "local" && route.table === 255));
});
