/** Firewalls as they are on routers, and whether they let a packet to the proxy pass. */
import assert from "node:assert/strict";
import type { KnownPacket } from "../../../../src/doctor/packet/known_packet.ts";
import { walkBaseChain, type WalkResult } from "../../../../src/doctor/packet/packet_walk.ts";
import { AttributeWriter } from "../../../../src/netlink/attribute.ts";
import type { NftChain } from "../../../../src/netlink/nft/chain.ts";
import type { NftElement } from "../../../../src/netlink/nft/sets/element.ts";
import type { NftExpression } from "../../../../src/netlink/nft/expression.ts";
import { CT_STATE } from "../../../../src/netlink/nft/expr/ct.ts";
import { hostKey, ifnameKey } from "../../../../src/netlink/nft/sets/set_type.ts";
import {
  bareSyn,
  conntrackState,
  destinationPort,
  destinationType,
  hasMark,
  inputInterface,
  networkFamily,
  reject,
  transport,
  verdict,
} from "../../../../src/netlink/nft/phrases.ts";
import { chainOf, type Rule } from "../support/firewall.ts";
import { CLIENT } from "../support/packets.ts";

const SERVER: KnownPacket = {
  family: "ipv4",
  protocol: "tcp",
  input: { name: "eth0", index: 2 },
  mark: 1,
  ctState: CT_STATE.established,
};

const ACCEPT = verdict("accept");
const DROP = verdict("drop");

type Chains = Readonly<Record<string, readonly (readonly NftExpression[])[]>>;

/** Walks through chain `input`. */
function walk(
  chains: Chains,
  options: { policy?: "accept" | "drop"; packet?: KnownPacket; sets?: Record<string, NftElement[]> } = {},
): WalkResult {
  const where = { family: "inet", table: "t" } as const;
  const base: NftChain = {
    ...where,
    name: "input",
    base: { type: "filter", hook: "input", priority: 0, policy: options.policy ?? "accept" },
  };
  const rules = Object.entries(chains).flatMap(([chain, list]) =>
    list.map((expressions) => ({ ...where, chain, expressions }))
  ).map((rule, index) => ({ ...rule, handle: BigInt(index + 1) }));
  const findSet = (name: string) => {
    const elements = options.sets?.[name];
    return elements && { elements, interval: elements.some(({ intervalEnd }) => intervalEnd) };
  };
  const table = { rules, findSet };
  return walkBaseChain(table, base, options.packet ?? CLIENT);
}

function unknown(name: string, data: Uint8Array = new Uint8Array()): NftExpression {
  return { kind: "unknown", name, data };
}

function xtables(kind: "match" | "target", name: string): NftExpression {
  return unknown(kind, new AttributeWriter().string(1, name).finish());
}

/** ip saddr 10.0.0.7 */
const ADDRESS: readonly NftExpression[] = [
  { kind: "payload", base: "network", offset: 12, length: 4, register: 1 },
  { kind: "cmp", operator: "eq", register: 1, value: Uint8Array.of(10, 0, 0, 7) },
];
const LIMIT = unknown("limit");
const LIMIT_OVER = unknown("limit", new AttributeWriter().u32be(5, 1).finish());

/**
 * Rules of chain `input`, the policy, and what becomes of a client's packet: `accept`, `drop`, or `drop,
 * perhaps`.
 */
const CASES: readonly [
  name: string,
  rules: readonly (readonly NftExpression[])[],
  policy: "accept" | "drop",
  expected: string,
][] = [
  ["no rule, policy accept", [], "accept", "accept"],
  ["no rule, policy drop", [], "drop", "drop"],
  ["loopback only", [[...inputInterface("lo"), ...ACCEPT]], "drop", "drop"],
  ["the client's interface", [[...inputInterface("br-lan"), ...ACCEPT]], "drop", "accept"],
  ["another interface than", [[...inputInterface("eth0", { negate: true }), ...ACCEPT]], "drop", "accept"],
  ["the mark", [[...hasMark(1, { mask: 1 }), ...ACCEPT]], "drop", "accept"],
  ["another mark", [[...hasMark(2, { mask: 2 }), ...ACCEPT]], "drop", "drop"],
  // Untracked: a firewall that goes by state knows nothing of it.
  ["ct state new", [[...conntrackState(["new"]), ...ACCEPT]], "drop", "drop"],
  ["ct state established", [[...conntrackState(["established", "related"]), ...ACCEPT]], "drop", "drop"],
  ["ct state invalid drop", [[...conntrackState(["invalid"]), ...DROP]], "accept", "accept"],
  ["ct state untracked", [[...conntrackState(["untracked"]), ...ACCEPT]], "drop", "accept"],
  ["only udp", [[...transport("udp"), ...ACCEPT]], "drop", "drop"],
  ["only IPv6", [[...networkFamily("ipv6"), ...ACCEPT]], "drop", "drop"],
  ["a reject at the end", [[...inputInterface("lo"), ...ACCEPT], reject("tcp-reset")], "accept", "drop"],
  ["local destinations", [[...destinationType("local"), ...ACCEPT]], "drop", "drop"],
  [
    "destinations that are not local dropped",
    [[
      ...destinationType("unicast"),
      ...DROP,
    ]],
    "accept",
    "drop",
  ],
  ["another port", [[...transport("tcp"), ...destinationPort(22), ...ACCEPT]], "drop", "drop"],
  ["its port", [[...transport("tcp"), ...destinationPort(443), ...ACCEPT]], "drop", "accept"],
  ["a client's address", [[...ADDRESS, ...ACCEPT]], "drop", "drop, perhaps"],
  ["a blocked address", [[...ADDRESS, ...DROP]], "accept", "accept"],
  ["an expression that is not known", [[unknown("osf"), ...ACCEPT]], "drop", "drop, perhaps"],
  ["a log before", [[unknown("log"), ...inputInterface("br-lan"), ...ACCEPT]], "drop", "accept"],
  ["iptables' conntrack match", [[xtables("match", "conntrack"), ...ACCEPT]], "drop", "drop, perhaps"],
  ["iptables' comment", [[xtables("match", "comment"), ...ACCEPT]], "drop", "accept"],
  ["iptables' REJECT", [[xtables("target", "REJECT")]], "accept", "drop"],
  ["iptables' LOG", [[xtables("target", "LOG")]], "accept", "accept"],
  ["over a limit", [[LIMIT_OVER, ...DROP]], "accept", "accept"],
  ["return in a base chain", [[...verdict("return")], [...ACCEPT]], "drop", "drop"],
];

for (const [name, rules, policy, expected] of CASES) {
  Deno.test(`walkBaseChain(): ${name}, policy ${policy}: ${expected}`, () => {
    const { verdict, mayPass } = walk({ input: rules }, { policy });
    assert.equal(verdict === "drop" && mayPass ? "drop, perhaps" : verdict, expected);
  });
}

/** OpenWrt's fw4: a map of states, a SYN limit, a chain for each zone, and a reject at the end. */
function fw4(lanZone: readonly NftExpression[]): { chains: Chains; sets: Record<string, NftElement[]> } {
  const loadState: NftExpression = { kind: "ct", direction: "load", key: "state", register: 1 };
  return {
    chains: {
      input: [
        [...inputInterface("lo"), ...ACCEPT],
        [loadState, { kind: "lookup", set: "__map0", register: 1, destination: 0 }],
        [...bareSyn(), ...verdict("jump", "syn_flood")],
        [...inputInterface("br-lan"), ...verdict("jump", "input_lan")],
        verdict("jump", "handle_reject"),
      ],
      syn_flood: [[LIMIT, ...verdict("return")], DROP],
      input_lan: [[...lanZone]],
      accept_from_lan: [[...inputInterface("br-lan"), { kind: "counter" }, ...ACCEPT]],
      handle_reject: [[...transport("tcp"), ...reject("tcp-reset")], reject("port-unreachable")],
    },
    sets: {
      __map0: [
        { key: hostKey(CT_STATE.established), value: { code: "accept" } },
        { key: hostKey(CT_STATE.related), value: { code: "accept" } },
      ],
    },
  };
}

Deno.test("walkBaseChain(): OpenWrt's firewall accepts from a zone with input ACCEPT", () => {
  const { chains, sets } = fw4(verdict("jump", "accept_from_lan"));
  assert.equal(walk(chains, { policy: "drop", sets }).verdict, "accept");
  assert.equal(walk(chains, { policy: "drop", sets, packet: SERVER }).verdict, "accept");
});

Deno.test("walkBaseChain(): OpenWrt's firewall drops from a zone with input REJECT, and is told where", () => {
  const { chains, sets } = fw4(verdict("goto", "handle_reject"));
  const result = walk(chains, { policy: "drop", sets });
  const { verdict: end, by, mayPass } = result;
  assert.deepEqual([end, by?.handle, by?.chain, mayPass], ["drop", 10n, "handle_reject", false]);
});

Deno.test("walkBaseChain(): a set of interface names decides, and a map whose key is not known leaves it open", () => {
  const lookup = (more: object): NftExpression => ({ kind: "lookup", set: "s", register: 1, ...more });
  const meta: NftExpression = { kind: "meta", direction: "load", key: "iifname", register: 1 };
  const names = (...list: string[]) => ({ s: list.map((name) => ({ key: ifnameKey(name) })) });
  const accept = { input: [[meta, lookup({}), ...ACCEPT]] };
  assert.equal(walk(accept, { policy: "drop", sets: names("lo", "br-lan") }).verdict, "accept");
  assert.equal(walk(accept, { policy: "drop", sets: names("lo") }).mayPass, false);
  const inverted = { input: [[meta, lookup({ inverted: true }), ...ACCEPT]] };
  assert.equal(walk(inverted, { policy: "drop", sets: names("lo") }).verdict, "accept");
  // ip saddr vmap { 10.0.0.7 : accept }
  const sets = { s: [{ key: Uint8Array.of(10, 0, 0, 7), value: { code: "accept" as const } }] };
  const byAddress = { input: [[ADDRESS[0], lookup({ destination: 0 })]] };
  assert.equal(walk(byAddress, { policy: "drop" }).mayPass, true, "a map that was not read");
  assert.deepEqual(walk(byAddress, { policy: "drop", sets }), {
    verdict: "drop",
    by: undefined,
    mayPass: true,
    mayDrop: true,
  });
});

Deno.test("walkBaseChain(): a set of port ranges decides", () => {
  const port = (number: number, intervalEnd = false) => ({
    key: Uint8Array.of(number >> 8, number & 0xff),
    ...(intervalEnd ? { intervalEnd } : {}),
  });
  const accept = { input: [[...destinationPort({ set: "s" }), ...ACCEPT]] };
  const verdictOf = (...elements: NftElement[]) =>
    walk(accept, { policy: "drop", sets: { s: elements } }).verdict;
  // The kernel lists them in any order.
  assert.equal(verdictOf(port(1000, true), port(400), port(0, true)), "accept");
  assert.equal(verdictOf(port(0, true), port(400), port(443, true)), "drop");
  assert.equal(verdictOf(port(0, true), port(443), port(444, true)), "accept");
  assert.equal(verdictOf(port(0, true), port(8000), port(8100, true)), "drop");
});

Deno.test("walkBaseChain(): chains that jump to each other end the walk", () => {
  const chains = { input: [verdict("jump", "a")], a: [verdict("jump", "input")] };
  assert.equal(walk(chains, { policy: "drop" }).verdict, "drop");
});

Deno.test("walkBaseChain() ends where chains jump to each other more often than anybody can walk", () => {
  const jump = (chain: string): Rule => [{ kind: "verdict", verdict: { code: "jump", chain } }];
  const further = Object.fromEntries(
    Array.from({ length: 12 }, (_, level) => [`c${level}`, Array(10).fill(jump(`c${level + 1}`))]),
  );
  const { chain, table } = chainOf({ hook: "input", rules: [jump("c0")], further });
  const { verdict, mayPass, mayDrop } = walkBaseChain(table!, chain, CLIENT);
  assert.deepEqual([verdict, mayPass, mayDrop], ["accept", true, true]);
});
