import assert from "node:assert/strict";
import { type Combination, refuseCombinations } from "../../../../src/cli/connections/combinations.ts";
import { OperationError } from "../../../../src/net/error.ts";

const REFUSED: readonly [options: Combination, words: RegExp][] = [
  // It would close more than the list has shown.
  [{ act: "close", top: 5 }, /"--top": it does not go with close/],
  [{ act: "close", sort: "age" }, /"--sort": it does not go with close/],
  [{ act: "close", watch: true }, /"--watch": it does not go with close/],
  [{ act: "close", json: true }, /"--json"/],
  [{ watch: true, follow: true }, /"--follow": it does not go with --watch/],
  [{ watch: true, json: true }, /"--json": it does not go with --watch/],
  [{ follow: true, top: 1 }, /"--top": it does not go with --follow/],
];

Deno.test("options that another one would leave without effect are refused", () => {
  for (const [options, words] of REFUSED) {
    assert.throws(() => refuseCombinations(options), (error) => {
      assert.ok(error instanceof OperationError && error.usage);
      assert.match(error.message, words);
      return true;
    });
  }
});

Deno.test("those that have one go together", () => {
  for (
    const options of [{}, { act: "close" }, { follow: true, json: true }, { sort: "age", top: 2, json: true }]
  ) {
    refuseCombinations(options);
  }
});
