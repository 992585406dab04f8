import assert from "node:assert/strict";
import { splitAttachedValues } from "../../../../src/cli/arguments/attached_values.ts";

Deno.test("splitAttachedValues() takes words apart as getopt does", () => {
  const cases: [words: string, split: string][] = [
    ["-w3", "-w 3"],
    ["-vzw1 host 20-25", "-vzw 1 host 20-25"],
    ["-lp80", "-lp 80"],
    ["-lkunv", "-lkunv"],
    ["-s-p host", "-s -p host"],
    // A value is a value, whatever it looks like.
    ["-s -w3 -w3", "-s -w3 -w 3"],
    ["-p -- -w3", "-p -- -w 3"],
    ["-- -w3", "-- -w3"],
    ["--wait -l - -p", "--wait -l - -p"],
  ];
  for (const [words, split] of cases) {
    assert.deepEqual(splitAttachedValues(words.split(" "), "spw"), split.split(" "), words);
  }
});

Deno.test("splitAttachedValues() leaves the words of a command without such options alone", () => {
  assert.deepEqual(splitAttachedValues(["-w3", "-c", "x"], ""), ["-w3", "-c", "x"]);
});
