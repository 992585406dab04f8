import assert from "node:assert/strict";
import { addDefaultValues } from "../../../../src/cli/arguments/default_values.ts";

Deno.test("addDefaultValues() adds a value where none follows", () => {
  const cases: [words: string, full: string][] = [
    ["--confirm", "--confirm 60s"],
    ["--confirm -c f", "--confirm 60s -c f"],
    ["-c f --confirm", "-c f --confirm 60s"],
    ["--confirm 5m -c f", "--confirm 5m -c f"],
    ["--confirm=5m", "--confirm=5m"],
    ["--boot auto", "--boot auto"],
  ];
  for (const [words, full] of cases) {
    assert.deepEqual(addDefaultValues(words.split(" "), { "--confirm": "60s" }), full.split(" "), words);
  }
});
