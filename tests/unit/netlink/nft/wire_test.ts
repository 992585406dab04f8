import assert from "node:assert/strict";
import { parseEndpoint, parseIp, parsePrefix } from "../../../../src/net/ip.ts";
import type { BatchCommand } from "../../../../src/netlink/connection.ts";
import { NLM_F_REQUEST } from "../../../../src/netlink/message.ts";
import { NftBatch } from "../../../../src/netlink/nft/batch.ts";
import { decodeChain } from "../../../../src/netlink/nft/chain.ts";
import { decodeElements } from "../../../../src/netlink/nft/sets/element.ts";
import type { NftExpression } from "../../../../src/netlink/nft/expression.ts";
import { intervalElements, prefixRange } from "../../../../src/netlink/nft/sets/interval.ts";
import { isNftMessage } from "../../../../src/netlink/nft/message.ts";
import { decodeRule, encodeRule } from "../../../../src/netlink/nft/rule.ts";
import { decodeSet } from "../../../../src/netlink/nft/sets/set.ts";
import { concatenatedKey, etherKey, ifnameKey, portKey } from "../../../../src/netlink/nft/sets/set_type.ts";
import * as statement from "../../../../src/netlink/nft/phrases.ts";
import { decodeTable } from "../../../../src/netlink/nft/table.ts";
import { assertRecorded, recordedBatch, recordedMessages } from "../wire.ts";

const family = "inet" as const;
const table = "t";
const ip = (text: string) => parseIp(text)!.bytes;
const ports = (first: number, last = first) => ({ from: portKey(first), to: portKey(last) });
const network = (text: string) => prefixRange(parsePrefix(text)!);

/**
 * Builds a batch and compares it with a recording: bytes, and the flags that differ from command to command.
 */
function assertBatch(name: string, build: (batch: NftBatch) => void): void {
  const batch = new NftBatch();
  build(batch);
  const recorded = recordedBatch(name);
  assertRecorded(batch.commands.map((command) => command.request), recorded);
  const flags = ({ request }: BatchCommand) => (request.flags ?? 0) | NLM_F_REQUEST;
  assert.deepEqual(batch.commands.map(flags), recorded.map((message) => message.flags), "flags");
}

const OBJECTS: Readonly<Record<string, (batch: NftBatch) => void>> = {
  "table-add": (batch) => batch.addTable({ family, name: table }),
  "table-add-comment": (batch) =>
    batch.addTable({ family, name: table, comment: "ours", flags: ["dormant"] }),
  "table-delete": (batch) => batch.deleteTable({ family, name: table }),
  "chain-add-base": (batch) =>
    batch.addChain({
      family,
      table,
      name: "c",
      base: { type: "filter", hook: "prerouting", priority: -310, policy: "drop" },
    }),
  "chain-add-regular": (batch) => batch.addChain({ family, table, name: "c", comment: "hi" }),
  "chain-delete": (batch) => batch.deleteChain({ family, table, name: "c" }),
  "chain-flush": (batch) => batch.flushChain({ family, table, name: "c" }),
  "rule-delete": (batch) => batch.deleteRule({ family, table, chain: "c", handle: 3n }),
  "set-ifname": (batch) => {
    const set = { family, table, name: "lan" };
    batch.addSet({ ...set, type: ["ifname"] });
    batch.addElements(set, [{ key: ifnameKey("lan0") }, { key: ifnameKey("lan1") }]);
  },
  "set-ports": (batch) => {
    const set = { family, table, name: "ports" };
    batch.addSet({ ...set, type: ["inet_service"], flags: ["interval"] });
    batch.addElements(set, intervalElements([ports(8000, 8100), ports(80)]));
  },
  "set-nets": (batch) => {
    const set = { family, table, name: "n" };
    batch.addSet({ ...set, type: ["ipv6_addr"], flags: ["interval"] });
    batch.addElements(set, intervalElements([network("fc00::/7"), network("ff00::/8")]));
  },
  "set-nets4": (batch) => {
    const set = { family, table, name: "n" };
    batch.addSet({ ...set, type: ["ipv4_addr"], flags: ["interval"] });
    const few = { from: ip("192.0.2.1"), to: ip("192.0.2.3") };
    batch.addElements(set, intervalElements([network("255.255.255.255/32"), few, network("10.0.0.0/8")]));
  },
  "set-ether": (batch) => {
    const set = { family, table, name: "d" };
    batch.addSet({ ...set, type: ["ether_addr"] });
    batch.addElements(set, [{ key: etherKey("02:00:5e:10:00:01") }, { key: etherKey("02:00:5e:10:00:02") }]);
  },
  "set-flows": (batch) => {
    const type = ["ipv4_addr", "inet_service", "ipv4_addr", "inet_service"] as const;
    const flags = ["timeout", "dynamic"] as const;
    batch.addSet({ family, table, name: "f", type, flags, size: 65536, timeoutMs: 180_000 });
  },
  "set-timeout": (batch) => {
    const set = { family, table, name: "a" };
    batch.addSet({ ...set, type: ["inet_proto"], flags: ["timeout"], timeoutMs: 2000 });
    batch.addElements(set, [{ key: statement.protocolKey("tcp") }]);
  },
  "element-timeout": (batch) => {
    const set = { family, table, name: "a" };
    batch.addSet({ ...set, type: ["inet_proto"], flags: ["timeout"] });
    batch.addElements(set, [{ key: statement.protocolKey("tcp"), timeoutMs: 60_000 }]);
  },
  "rule-insert": (batch) =>
    batch.addRule({ family, table, chain: "c", expressions: statement.verdict("return") }, { first: true }),
  "set-concatenation": (batch) => {
    const set = { family, table, name: "d" };
    batch.addSet({ ...set, type: ["inet_proto", "inet_service"] });
    batch.addElements(set, [{ key: concatenatedKey([Uint8Array.of(6), portKey(80)]) }]);
  },
  "set-concatenation-interval": (batch) => {
    const set = { family, table, name: "d" };
    batch.addSet({ ...set, type: ["ipv4_addr", "inet_service"], flags: ["interval"] });
    const key = concatenatedKey([ip("10.0.0.0"), portKey(80)]);
    const keyEnd = concatenatedKey([ip("10.255.255.255"), portKey(90)]);
    batch.addElements(set, [{ key, keyEnd }]);
  },
  "map-verdict": (batch) => {
    const set = { family, table, name: "m" };
    batch.addSet({ ...set, type: ["inet_service"], values: "verdict" });
    batch.addElements(set, [
      { key: portKey(80), value: { code: "accept" } },
      { key: portKey(81), value: { code: "jump", chain: "c" } },
    ]);
  },
  "element-delete": (batch) =>
    batch.deleteElements({ family, table, name: "lan" }, [{ key: ifnameKey("lan0") }]),
};

for (const [name, build] of Object.entries(OBJECTS)) {
  Deno.test(`NftBatch writes what nft writes: ${name}`, () => assertBatch(name, build));
}

// The ids that nft gave to the sets that were there before.
const PORTS = { set: "ports", setId: 1 };
const LAN = { set: "lan", setId: 2 };
const RULES: Readonly<Record<string, NftExpression[][]>> = {
  tproxy: [
    statement.networkFamily("ipv4"),
    statement.transport("tcp"),
    statement.tproxyTo(parseEndpoint("127.0.0.1:50080")!),
  ],
  tproxy6: [
    statement.networkFamily("ipv6"),
    statement.transport("udp"),
    statement.tproxyTo(parseEndpoint("[::1]:50080")!),
  ],
  "socket-mark": [
    statement.transport("tcp"),
    statement.transparentSocket(),
    statement.setMarkBits(1),
    statement.notrack(),
    statement.verdict("accept"),
  ],
  "socket-mark-equal": [
    statement.hasMark(4, { mask: 4, key: "socket" }),
    statement.verdict("accept"),
  ],
  "mark-masked": [statement.hasMark(4, { mask: 4 }), statement.notrack()],
  "bare-syn": [statement.transport("tcp"), statement.bareSyn(), statement.verdict("drop")],
  "lookup-inverted": [
    statement.inputInterface(LAN, { negate: true }),
    statement.verdict("return"),
  ],
  ports: [
    statement.transport("tcp"),
    statement.destinationPort(PORTS),
    statement.verdict("jump", "other"),
  ],
  "ports-inverted": [
    statement.transport("udp"),
    statement.destinationPort(PORTS, { negate: true }),
    statement.verdict("goto", "other"),
  ],
  "port-range": [
    statement.transport("tcp"),
    [
      { kind: "payload", base: "transport", offset: 2, length: 2, register: 1 },
      { kind: "range", operator: "neq", register: 1, from: portKey(22), to: portKey(23) },
    ],
    statement.verdict("accept"),
  ],
  fib: [statement.destinationType("local"), statement.verdict("return")],
  "fib-exists": [
    [
      { kind: "fib", flags: ["saddr", "mark", "iif"], result: "oif", present: true, register: 1 },
      { kind: "cmp", operator: "eq", register: 1, value: Uint8Array.of(1, 0, 0, 0) },
    ],
    statement.verdict("accept"),
  ],
  "reject-reset": [statement.transport("tcp"), statement.reject("tcp-reset")],
  "reject-icmpx": [statement.transport("udp"), statement.reject("port-unreachable")],
};

for (const [name, statements] of Object.entries(RULES)) {
  Deno.test(`encodeRule() and decodeRule() agree with nft: ${name}`, () => {
    const rule = { family, table, chain: "c", expressions: statements.flat() };
    assertBatch(`rule-${name}`, (batch) => batch.addRule(rule));
    const [recorded] = recordedBatch(`rule-${name}`);
    assert.deepEqual(decodeRule(recorded.body), rule);
  });
}

Deno.test("encodeRule() and decodeRule() agree with nft: counter-comment", () => {
  const rule = { family, table, chain: "c", expressions: statement.counter(), comment: "hello" };
  assertBatch("rule-counter-comment", (batch) => batch.addRule(rule));
  assert.deepEqual(decodeRule(recordedBatch("rule-counter-comment")[0].body), rule);
});

Deno.test("decodeRule() reads a match of conntrack states, which nft writes without naming the operation", () => {
  const expressions = [statement.conntrackState(["established", "related"]), statement.verdict("accept")]
    .flat();
  const [recorded] = recordedBatch("rule-ct-state");
  assert.deepEqual(decodeRule(recorded.body), { family, table, chain: "c", expressions });
});

Deno.test("addAnonymousSet() writes what nft writes, but for nft's note on the expression that it came from", () => {
  const batch = new NftBatch();
  // nft had given the first two ids to sets that were there before.
  batch.addSet({ family, table, name: "ports", type: ["inet_service"] });
  batch.addSet({ family, table, name: "lan", type: ["ifname"] });
  const keys = (["tcp", "udp"] as const).map((protocol) => ({ key: statement.protocolKey(protocol) }));
  const set = batch.addAnonymousSet({ family, table, type: ["inet_proto"] }, keys);
  const expressions = [statement.transport(set), statement.verdict("accept")].flat();
  batch.addRule({ family, table, chain: "c", expressions });
  const recorded = recordedBatch("rule-anonymous-set");
  assert.deepEqual(decodeSet(batch.commands[2].request.body), decodeSet(recorded[0].body));
  const requests = batch.commands.map((command) => command.request);
  assertRecorded(requests.slice(3), recorded.slice(1));
});

Deno.test("decoders read what nft writes", () => {
  const chain = decodeChain(recordedBatch("chain-add-base")[0].body);
  assert.deepEqual(chain, {
    family,
    table,
    name: "c",
    base: { type: "filter", hook: "prerouting", priority: -310, policy: "drop" },
  });
  const [set, elements] = recordedBatch("set-concatenation-interval");
  assert.deepEqual(decodeSet(set.body), {
    family,
    table,
    name: "d",
    type: ["ipv4_addr", "inet_service"],
    flags: ["interval"],
  });
  assert.deepEqual(decodeElements(elements.body), [{
    key: concatenatedKey([ip("10.0.0.0"), portKey(80)]),
    keyEnd: concatenatedKey([ip("10.255.255.255"), portKey(90)]),
  }]);
  const [map, values] = recordedBatch("map-verdict");
  assert.equal(decodeSet(map.body).values, "verdict");
  assert.deepEqual(decodeElements(values.body)[1].value, { code: "jump", chain: "c" });
});

Deno.test("decoders read a kernel's dump of a whole rule set", () => {
  const messages = recordedMessages("dump-ruleset");
  const bodies = (kind: "table" | "chain" | "set" | "rule" | "elements") =>
    messages.filter((message) => isNftMessage(message, kind)).map((message) => message.body);
  assert.deepEqual(bodies("table").map(decodeTable), [{ family, name: "t", comment: "ours", handle: 1n }]);
  const chains = bodies("chain").map(decodeChain);
  assert.deepEqual(chains.map(({ name, comment, base }) => ({ name, comment, base })), [
    { name: "other", comment: "regular", base: undefined },
    {
      name: "c",
      comment: undefined,
      base: { type: "filter", hook: "prerouting", priority: -310, policy: "accept" },
    },
  ]);
  const sets = bodies("set").map(decodeSet);
  assert.deepEqual(
    sets.map((set) => `${set.name}: ${set.type}${set.values ? ` → ${set.values}` : ""} ${set.comment ?? ""}`),
    [
      "lan: ifname ",
      "ports: inet_service p",
      "nets6: ipv6_addr ",
      "m: inet_service → verdict ",
      "pairs: ipv4_addr,inet_service ",
      "__set0: fib_addrtype ",
    ],
  );
  const rules = bodies("rule").map(decodeRule);
  assert.deepEqual(rules.map((rule) => rule.expressions.map((expression) => expression.kind).join(" ")), [
    "meta lookup verdict",
    "fib lookup verdict",
    "meta cmp socket cmp meta bitwise meta notrack verdict",
    "meta cmp meta cmp payload bitwise cmp immediate immediate tproxy counter",
    "meta cmp payload range ct bitwise cmp verdict",
    "meta cmp payload lookup reject",
    "unknown verdict",
  ]);
  assert.equal(rules[1].comment, "ours");
  // All that is read can be written again, the expression that is not known here included.
  for (const rule of rules) {
    const { handle: _, ...again } = decodeRule(Uint8Array.of(1, 0, 0, 0, ...encodeRule(rule)));
    const { handle: __, ...first } = rule;
    assert.deepEqual(again, first);
  }
});

Deno.test("decodeElements() reads what is left of an element's time", () => {
  const elements = recordedMessages("dump-element-timeout")
    .filter((message) => isNftMessage(message, "elements")).flatMap(({ body }) => decodeElements(body));
  assert.equal(elements.length, 1);
  const { expiresMs = 0, ...element } = elements[0];
  assert.deepEqual(element, { key: statement.protocolKey("tcp"), timeoutMs: 60_000 });
  assert.ok(expiresMs > 50_000 && expiresMs <= 60_000, String(expiresMs));
});
