/** Routes whose way is more than a gateway of their own family. */
import assert from "node:assert/strict";
import { formatIp, formatPrefix, parseIp, parsePrefix } from "../../../../src/net/ip.ts";
import { AttributeWriter } from "../../../../src/netlink/attribute.ts";
import { RTM_NEWROUTE } from "../../../../src/netlink/route/message.ts";
import type { Way } from "../../../../src/netlink/route/next_hop.ts";
import { decodeRoute, encodeRoute, type Route, ROUTE_SCOPE } from "../../../../src/netlink/route/route.ts";
import { assertRecorded, recordedMessages } from "../wire.ts";

const PLAIN: Route = {
  family: "ipv4",
  table: 254,
  type: "unicast",
  protocol: 50,
  scope: ROUTE_SCOPE.universe,
  destination: parsePrefix("198.51.100.0/24")!,
};

/** `encap ip id 7 dst 203.0.113.1`: LWTUNNEL_IP_ID, LWTUNNEL_IP_DST of linux/lwtunnel.h. */
const ENCAPSULATION = {
  type: 2,
  data: new AttributeWriter().u64be(1, 7n).bytes(2, parseIp("203.0.113.1")!.bytes).finish(),
};

const RECORDED: Readonly<Record<string, Route>> = {
  "route-add-via6": { ...PLAIN, gateway: parseIp("fe80::1")!, priority: 5, outLinkIndex: 3 },
  "route-add-tos": { ...PLAIN, tos: 0x10, gateway: parseIp("192.0.2.9")!, outLinkIndex: 3 },
  "route-add-onlink": { ...PLAIN, gateway: parseIp("203.0.113.1")!, onLink: true, outLinkIndex: 3 },
  "route-add-encap": { ...PLAIN, scope: ROUTE_SCOPE.link, encapsulation: ENCAPSULATION, outLinkIndex: 3 },
  "route-add-hops": {
    ...PLAIN,
    nextHops: [
      { outLinkIndex: 3, weight: 2, gateway: parseIp("192.0.2.9")! },
      { outLinkIndex: 5, weight: 1, gateway: parseIp("203.0.113.1")!, onLink: true },
    ],
  },
};

for (const [name, route] of Object.entries(RECORDED)) {
  Deno.test(`encodeRoute() and decodeRoute() agree with ip: ${name}`, () => {
    const [recorded] = recordedMessages(name);
    // ip leaves rubbish behind the two bytes of RTA_ENCAP_TYPE.
    if (name === "route-add-encap") recorded.body.fill(0, 50, 52);
    assertRecorded([{ type: recorded.type, body: encodeRoute(route) }], [recorded]);
    assert.deepEqual(decodeRoute(recorded.body), route);
  });
}

Deno.test("encodeRoute() and decodeRoute() agree on hops of the other family, with realms and a tunnel", () => {
  const route: Route = {
    ...PLAIN,
    nextHops: [
      {
        outLinkIndex: 3,
        weight: 256,
        gateway: parseIp("fe80::1")!,
        realms: { source: 3, destination: 0x8004 },
      },
      { outLinkIndex: 5, weight: 1, encapsulation: ENCAPSULATION },
    ],
  };
  assert.deepEqual(decodeRoute(encodeRoute(route)), route);
  assert.throws(
    () => decodeRoute(Uint8Array.from(encodeRoute({ ...PLAIN, nextHops: [] }).with(12, 4))),
    RangeError,
  );
});

function describe({ gateway, outLinkIndex, onLink, encapsulation, dead, linkDown }: Way): string {
  const words = [
    gateway && `via ${formatIp(gateway)}`,
    `dev ${outLinkIndex}`,
    onLink && "onlink",
    encapsulation && `encap ${encapsulation.type}`,
    dead && "dead",
    linkDown && "linkdown",
  ];
  return words.filter(Boolean).join(" ");
}

function dump(name: string): string[] {
  const routes = recordedMessages(name).filter(({ type }) => type === RTM_NEWROUTE)
    .map(({ body }) => decodeRoute(body)!);
  return routes.map((route) => {
    const tos = route.tos === undefined ? "" : ` tos ${route.tos}`;
    return `${formatPrefix(route.destination!)}${tos}: ${
      (route.nextHops ?? [route]).map(describe).join(", ")
    }`;
  });
}

Deno.test("decodeRoute() reads next hops, dead ones too, of a kernel's dump", () => {
  assert.deepEqual(dump("dump-next-hops"), [
    "192.0.2.0/25: dev 3",
    "198.51.100.0/25: via fe80::1 dev 3",
    "198.51.100.0/24: via 192.0.2.9 dev 3, via 192.0.2.200 dev 5 dead linkdown",
    "203.0.113.0/25: dev 3 encap 2",
    "203.0.113.0/24 tos 16: dev 3",
    "203.0.113.128/25: via 203.0.113.129 dev 3 onlink",
  ]);
  assert.deepEqual(dump("dump-next-hops6").filter((line) => line.startsWith("2001:db8:2::")), [
    "2001:db8:2::/48: via 2001:db8::9 dev 3, via 2001:db8:1::9 dev 5 linkdown",
  ]);
});
