import assert from "node:assert/strict";
import { readKeys } from "../../../../src/cli/watch/keys.ts";

Deno.test("keys are characters, or have names", () => {
  assert.deepEqual(readKeys("ab\r\t\x7f\x03 ä"), ["a", "b", "enter", "tab", "backspace", "ctrl-c", " ", "ä"]);
  assert.deepEqual(readKeys("\x1b[A\x1bOB\x1b[5~\x1b[Z"), ["up", "down", "page up", "back tab"]);
  assert.deepEqual(readKeys("\x1b"), ["escape"]);
  assert.deepEqual(readKeys("\x1bq"), ["escape", "q"]);
});

Deno.test("sequences that nobody knows are no keys, nor are other controls", () => {
  assert.deepEqual(readKeys("\x1b[1;5Cx\x1b[200~y\x01\x00z"), ["x", "y", "z"]);
});
