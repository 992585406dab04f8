import assert from "node:assert/strict";
import { chooseFailed, forgive } from "../../../scripts/lib/test/second_try.ts";

const failed = (...names: string[]) => ({
  tally: { passed: 5, failed: names.length, skipped: 1 },
  failures: names.map((name) => ({ name, text: "" })),
});

Deno.test("chooseFailed() chooses the failed tests by their whole names", () => {
  const filter = chooseFailed(failed("a (b) costs $1.5", "c | d"))!;
  const pattern = new RegExp(filter.slice(1, -1));
  for (const name of ["a (b) costs $1.5", "c | d"]) assert.match(name, pattern);
  for (const name of ["a (b) costs $1x5", "c ", "c | d, too"]) assert.doesNotMatch(name, pattern);
});

Deno.test("chooseFailed() chooses a test by whose step it failed", () => {
  const filter = chooseFailed(failed("vlan", "vlan > proof", "a", "b"))!;
  assert.equal(filter, "/^(?:vlan|a|b)$/");
});

Deno.test("chooseFailed() chooses none where nothing, too much, or more than tests failed", () => {
  assert.equal(chooseFailed(failed()), undefined);
  assert.equal(chooseFailed(failed("a", "b", "c", "d")), undefined);
  const withMore = failed("a");
  withMore.tally.failed++;
  assert.equal(chooseFailed(withMore), undefined);
});

Deno.test("forgive() counts as passed what has passed at the second try", () => {
  assert.deepEqual(forgive({ passed: 5, failed: 2, skipped: 1 }), { passed: 7, failed: 0, skipped: 1 });
});
