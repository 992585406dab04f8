/** The matches of planned rules in the words of iptables. */
import assert from "node:assert/strict";
import { translateMatches } from "../../../../../src/kernel/iptables/compile/conditions.ts";
import type { Statement } from "../../../../../src/kernel/plan/model.ts";

const CONTEXT = { family: "ipv4", sets: [] } as const;

const NFT_ALONE: readonly Statement[] = [
  { kind: "foreign-source" },
  { kind: "of-program" },
  { kind: "marked" },
  { kind: "mark-bits", mask: 3, negate: false },
  { kind: "new-flow" },
  { kind: "flow-bits", mask: 3 },
  { kind: "set-flow-bits", mask: 3, clear: true },
  { kind: "packet-length", bytes: 68 },
  { kind: "proxy-runs", set: "running" },
  { kind: "proxy-shows", set: "running" },
];

for (const statement of NFT_ALONE) {
  Deno.test(`translateMatches() throws for ${statement.kind}: a rule without it would match everything`, () => {
    assert.throws(() => translateMatches([statement], CONTEXT), {
      message: new RegExp(`Cannot write for iptables "${statement.kind}": no rule of iptables says this`),
    });
  });
}
