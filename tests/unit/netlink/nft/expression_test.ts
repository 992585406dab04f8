import assert from "node:assert/strict";
import { AttributeMap, AttributeWriter } from "../../../../src/netlink/attribute.ts";
import {
  type NftExpression,
  readExpressions,
  writeExpressions,
} from "../../../../src/netlink/nft/expression.ts";

const LIST = 1;

function write(expressions: readonly NftExpression[]): Uint8Array {
  const writer = new AttributeWriter();
  writeExpressions(writer, LIST, expressions);
  return new AttributeMap(writer.finish()).bytes(LIST)!;
}

Deno.test("readExpressions() reads what writeExpressions() writes, also expressions without attributes", () => {
  const expressions: NftExpression[] = [
    { kind: "queue", number: 54176, bypass: true },
    { kind: "notrack" },
    { kind: "masquerade" },
    { kind: "immediate", register: 1, value: Uint8Array.of(1, 2, 3, 4) },
    { kind: "verdict", verdict: { code: "goto", chain: "c" } },
    { kind: "unknown", name: "limit", data: new AttributeWriter().u64be(1, 5n).finish() },
  ];
  assert.deepEqual(readExpressions(write(expressions)), expressions);
});

Deno.test("readExpressions() keeps what an object cannot hold as an unknown expression", () => {
  const randomPorts = new AttributeWriter().u32be(1, 4).finish();
  const masquerade: NftExpression = { kind: "unknown", name: "masq", data: randomPorts };
  const rubbish: NftExpression = {
    kind: "unknown",
    name: "cmp",
    data: new AttributeWriter().u32be(2, 9).finish(),
  };
  const bytes = write([masquerade, rubbish]);
  assert.deepEqual(readExpressions(bytes), [masquerade, rubbish]);
  assert.deepEqual(write(readExpressions(bytes)), bytes);
});
