/** The conditions of planned rules in the words of iptables. */
import assert from "node:assert/strict";
import { translateConditions } from "../../../../../src/kernel/iptables/compile/conditions.ts";
import type { Condition } from "../../../../../src/kernel/plan/rules/condition.ts";

const CONTEXT = { family: "ipv4", sets: [] } as const;

const NFT_ALONE: readonly Condition[] = [
  { kind: "foreign-source" },
  { kind: "of-program" },
  { kind: "marked" },
  { kind: "mark-bits", mask: 3, negate: false },
  { kind: "new-flow" },
  { kind: "flow-bits", mask: 3 },
  { kind: "packet-length", bytes: 68 },
  { kind: "proxy-runs", set: "running" },
];

for (const condition of NFT_ALONE) {
  Deno.test(`translateConditions() throws for ${condition.kind}: a rule without it would match everything`, () => {
    assert.throws(() => translateConditions([condition], CONTEXT), {
      message: new RegExp(`Cannot write for iptables "${condition.kind}": no rule of iptables says this`),
    });
  });
}
