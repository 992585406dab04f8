import assert from "node:assert/strict";
import { fit, makeSafe, textWidth } from "../../../../src/cli/watch/text.ts";

Deno.test("nothing of a name steers the terminal", () => {
  const hostile = "a\x1b]0;owned\x07\x1b[2Jb\u009bm\u202egnp.exe\u200b\n\r\t\x7f";
  const safe = makeSafe(hostile);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(safe, /[\x00-\x1f\x7f-\x9f\u202e\u200b]/);
  assert.equal(fit(hostile, 12), fit(safe, 12));
});

Deno.test("fit() makes a text exactly so wide, wide characters and marks included", () => {
  for (const text of ["", "abc", "a long name of a device", "客厅的电视机", "e\u0301te\u0301", "tv📺 room"]) {
    for (const width of [0, 1, 2, 3, 6, 7, 20]) {
      assert.equal(textWidth(fit(text, width)), width, `${text} ${width}`);
    }
  }
  assert.equal(fit("abcdef", 4), "abc…");
  assert.equal(fit("客厅的电视机", 6), "客厅… ");
  assert.equal(fit("12", 4, true), "  12");
});
