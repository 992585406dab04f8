import assert from "node:assert/strict";
import { compare, formatNumber, median, summarize } from "../../../../scripts/lib/bench/statistics.ts";

Deno.test("median() gives the middle", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(median([10, 9]), 9.5);
  assert.equal(median([]), undefined);
});

Deno.test("summarize() takes each measure from the samples that have it", () => {
  assert.deepEqual(summarize([{ a: 1 }, { a: 3, b: 7 }, { a: 2 }]), { a: 2, b: 7 });
});

Deno.test("compare() divides tproxy's medians by another's, where both have them", () => {
  const results = new Map([["other", [{ a: 4, b: 1 }]], ["tproxy", [{ a: 1 }, { a: 2 }, { a: 3, c: 1 }]]]);
  assert.deepEqual(compare(results, "other"), { a: 0.5 });
  assert.equal(compare(results, "nobody"), undefined);
});

Deno.test("formatNumber() shows a dash for what is no number", () => {
  assert.equal(formatNumber(1.005, 1), "1.0");
  assert.equal(formatNumber(undefined, 1), "–");
  assert.equal(formatNumber(0 / 0, 1), "–");
});
