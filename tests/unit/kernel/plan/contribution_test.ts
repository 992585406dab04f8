import assert from "node:assert/strict";
import { joinChains, type OpenChain } from "../../../../src/kernel/plan/contribution.ts";
import type { PlannedRule } from "../../../../src/kernel/plan/model.ts";
import { LEAVE } from "../../../../src/kernel/plan/rules/effect.ts";

function rule(reason: string): PlannedRule {
  return { conditions: [], effect: LEAVE, reason };
}

function chain(name: string, rules: OpenChain["rules"]): OpenChain {
  return { name, place: "end", rules, reason: "" };
}

Deno.test("joinChains() fills a gap with the rules of all concerns, wherever it stands", () => {
  const chains = joinChains([
    { at: { answers: [rule("first")] } },
    { chains: [chain("a", [rule("own"), "answers"]), chain("b", ["answers", rule("own")])] },
    { at: { answers: [rule("second")] } },
  ]);
  assert.deepEqual(chains.map(({ name, rules }) => [name, ...rules.map(({ reason }) => reason)]), [
    ["a", "own", "first", "second"],
    ["b", "first", "second", "own"],
  ]);
});

Deno.test("joinChains() leaves nothing of a gap that no concern fills", () => {
  const [{ rules }] = joinChains([{ chains: [chain("a", ["signs of life", rule("own")])] }, {}]);
  assert.deepEqual(rules.map(({ reason }) => reason), ["own"]);
});
