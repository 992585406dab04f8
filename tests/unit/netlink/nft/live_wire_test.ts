/** The expressions and flags that only a running proxy's table has, against recordings of nft. */
import assert from "node:assert/strict";
import { NftBatch } from "../../../../src/netlink/nft/batch.ts";
import type { NftExpression } from "../../../../src/netlink/nft/expression.ts";
import * as statement from "../../../../src/netlink/nft/phrases.ts";
import { decodeRule } from "../../../../src/netlink/nft/rule.ts";
import { portKey } from "../../../../src/netlink/nft/sets/set_type.ts";
import { decodeTable } from "../../../../src/netlink/nft/table.ts";
import { assertRecorded, recordedBatch } from "../wire.ts";

const family = "inet" as const;
const table = "t";
/** A write of nft with `set 5`, where our rules write what conntrack knows. */
const five = (bytes: number): NftExpression => {
  const value = new Uint8Array(bytes);
  value[bytes - 1] = 5;
  return { kind: "immediate", register: 1, value };
};
const write = (base: "network" | "transport", offset: number, length: number): NftExpression => ({
  kind: "payload-write",
  base,
  offset,
  length,
  register: 1,
});
const accept = statement.verdict("accept");

// The ids that nft gave to the sets that were there before.
const RULES: Readonly<Record<string, NftExpression[][]>> = {
  original: [
    statement.transport("tcp"),
    statement.originalIn({ set: "flows", setId: 1 }, { family: "ipv4" }),
    accept,
  ],
  original6: [
    statement.transport("udp"),
    statement.originalIn({ set: "flows6", setId: 2 }, { family: "ipv6" }),
    accept,
  ],
  "source-port": [
    statement.transport("tcp"),
    statement.sourcePortIn({ mask: 510, first: 0, last: 0 }, { original: true }).slice(0, 2),
    [{ kind: "cmp", operator: "eq", register: 1, value: portKey(256) }],
    accept,
  ],
  zone: [statement.inZone(50080), accept],
  "set-zone": [statement.setZone(50080)],
  priority: [statement.hasPriority(0x74700000), accept],
  ttl: [statement.networkFamily("ipv4"), statement.hasTtl(1, { family: "ipv4" }), accept],
  "hop-limit": [statement.networkFamily("ipv6"), statement.hasTtl(2, { family: "ipv6" }), accept],
  "tcp-option": [statement.transport("tcp"), statement.tcpOption(19), statement.counter(), accept],
  wildcard: [statement.wildcardSocket(), accept],
  log: [[{ kind: "log", group: 50081, prefix: "p", snapLength: 128, queueThreshold: 1 }]],
  "log-plain": [[{ kind: "log", group: 7 }]],
  "write-transport": [statement.transport("tcp"), [five(2), write("transport", 16, 2)]],
  "write-network": [[five(4), write("network", 4, 4)]],
  "nat-itself": [statement.networkFamily("ipv4"), statement.natToItself("ipv4", "source")],
  "nat-itself6": [statement.networkFamily("ipv6"), statement.natToItself("ipv6", "destination")],
  "nat-port": [
    statement.networkFamily("ipv4"),
    statement.transport("tcp"),
    statement.natToItself("ipv4", "source").slice(0, 1),
    [
      { kind: "payload", base: "transport", offset: 0, length: 2, register: 2 },
      { kind: "nat", type: "snat", family: "ip", addressRegister: 1, portRegister: 2 },
    ],
  ],
  "reject-host": [statement.reject("host-unreachable")],
  "reject-icmp": [statement.networkFamily("ipv4"), [{ kind: "reject", type: "icmp", code: 1 }]],
};

for (const [name, statements] of Object.entries(RULES)) {
  Deno.test(`encodeRule() and decodeRule() agree with nft: live-${name}`, () => {
    const rule = { family, table, chain: "c", expressions: statements.flat() };
    const recorded = recordedBatch(`rule-live-${name}`);
    const batch = new NftBatch().addRule(rule);
    assertRecorded(batch.commands.map(({ request }) => request), recorded);
    assert.deepEqual(decodeRule(recorded[0].body), rule);
  });
}

Deno.test("decodeRule() reads a match of one conntrack state, which nft writes without naming the operation", () => {
  const expressions = [...statement.conntrackState(["untracked"]), ...accept];
  assert.deepEqual(decodeRule(recordedBatch("rule-live-untracked")[0].body).expressions, expressions);
});

Deno.test("decodeRule() reads an element's own time", () => {
  const [recorded] = recordedBatch("rule-live-update");
  const update = statement.updateFlow("flows", { family: "ipv4", first: "source" });
  const expressions = [statement.networkFamily("ipv4"), statement.transport("udp"), update].flat();
  const last = { ...expressions.pop()!, setId: 1, timeoutMs: 3000 };
  assert.deepEqual(decodeRule(recorded.body).expressions, [...expressions, last]);
});

Deno.test("addTable() and decodeTable() agree with nft about a table that belongs to its maker", () => {
  const recorded = recordedBatch("table-add-owner");
  const made = { family, name: table, comment: "ours", flags: ["owner"] as const };
  assert.deepEqual(decodeTable(recorded[0].body), made);
  const batch = new NftBatch().addTable(made);
  assertRecorded(batch.commands.map(({ request }) => request), recorded.slice(0, 1));
});
