/** Rules of others in words, where their values are not what a register says. */
import assert from "node:assert/strict";
import { formatRule } from "../../../../src/doctor/packet/rule_text.ts";
import { REGISTER_1 } from "../../../../src/netlink/nft/data.ts";
import type { NftExpression } from "../../../../src/netlink/nft/expression.ts";

Deno.test("formatRule() names a set of concatenations: its keys are longer than what is compared first", () => {
  const rule: NftExpression[] = [
    { kind: "payload", base: "network", offset: 12, length: 4, register: REGISTER_1 },
    { kind: "payload", base: "transport", offset: 2, length: 2, register: 9 },
    { kind: "lookup", set: "__set0", register: REGISTER_1 },
    { kind: "verdict", verdict: { code: "drop" } },
  ];
  const key = Uint8Array.of(10, 0, 0, 2, 0, 80, 0, 0);
  const findSet = () => ({ elements: [{ key }], interval: false });
  assert.equal(formatRule(rule, { tongue: "nft", findSet }), "ip saddr { … } drop");
});
