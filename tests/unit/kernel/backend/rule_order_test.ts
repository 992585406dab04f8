import assert from "node:assert/strict";
import { compareRuleOrder } from "../../../../src/kernel/backend/rule_order.ts";

/** States of rules that are their own canonical text. */
function compare(wanted: string, installed: string): string[] {
  const rules = (text: string) => [...text].map((name) => ({ name, canonical: name.toLowerCase() }));
  return compareRuleOrder(rules(wanted), rules(installed)).map(({ name, state }) => `${name} ${state}`);
}

Deno.test("compareRuleOrder() tells rules that lack, and rules between and behind that nobody wants", () => {
  assert.deepEqual(compare("abc", "abc"), ["a present", "b present", "c present"]);
  assert.deepEqual(compare("abc", "ac"), ["a present", "b missing", "c present"]);
  assert.deepEqual(compare("ab", "axby"), ["a present", "x foreign", "b present", "y foreign"]);
  assert.deepEqual(compare("", "x"), ["x foreign"]);
});

Deno.test("compareRuleOrder() takes a rule in another place for one that lacks and one that nobody wants", () => {
  assert.deepEqual(compare("ab", "ba"), ["b foreign", "a present", "b missing"]);
});

Deno.test("compareRuleOrder() goes by meaning, names by the text, and counts equal rules", () => {
  assert.deepEqual(compare("aa", "A"), ["a present", "a missing"]);
  assert.deepEqual(compare("a", "AX"), ["a present", "X foreign"]);
});
