/** Plain words, without the library that writes all others. */
import assert from "node:assert/strict";
import { encodePlainWords } from "../../../../src/cli/completing/plain_words.ts";
import { SHELLS } from "../../../../src/cli/completing/shells.ts";

Deno.test("plain words are written as the library writes them, for each shell", () => {
  for (const words of [[], ["lo"], ["br-lan", "wan.7", "-h", "--help", "Annas tablet", "rule 2"]]) {
    for (const [shell, { encodeSuggestions }] of Object.entries(SHELLS)) {
      const suggestions = words.map((text) => ({ kind: "literal", text }) as const);
      assert.equal(encodePlainWords(shell, words), [...encodeSuggestions(suggestions)].join(""), shell);
    }
  }
});

Deno.test("words that a script could take for more are left to the library", () => {
  for (const word of ["__FILE__:file:::0", "a\nb", "a\tb", "a:b", "$(x)", "'", ""]) {
    assert.equal(encodePlainWords("bash", ["lo", word]), undefined, word);
  }
  assert.equal(encodePlainWords("tcsh", ["lo"]), undefined);
});
