import assert from "node:assert/strict";
import { NAME_KINDS } from "../../../src/names/kinds.ts";
import { formatPattern, parsePattern } from "../../../src/names/pattern.ts";

const { exact, below, both } = NAME_KINDS;

Deno.test("parsePattern() reads the three spellings, formatPattern() writes them", () => {
  for (
    const [text, kind, name, canonical] of [
      ["Ads.Example.com.", exact, "ads.example.com", "ads.example.com"],
      ["*.Bücher.example", below, "xn--bcher-kva.example", "*.xn--bcher-kva.example"],
      [".corp.example", both, "corp.example", ".corp.example"],
      ["*.com", below, "com", "*.com"],
      [".xn--p1ai", both, "xn--p1ai", ".xn--p1ai"],
    ] as const
  ) {
    const pattern = parsePattern(text);
    assert.deepEqual(pattern, { kind, name });
    assert.equal(formatPattern({ kind, name }), canonical);
    assert.deepEqual(parsePattern(canonical), pattern);
  }
});

/** Refused texts, and words of the reason. */
const REFUSED: readonly (readonly [string, RegExp])[] = [
  ["", /empty/],
  ["*", /names no domain/],
  ["*.", /names no domain/],
  [".", /names no domain/],
  ["*.*", /names no domain/],
  ["a.*.b", /"\*" stands only at the beginning/],
  ["*example.com", /"\*" stands only at the beginning/],
  ["*.*.example.com", /"\*" stands only at the beginning/],
  ["10.0.0.1", /address is no name; use `to`/],
  ["*.10.0.0.1", /address is no name; use `to`/],
  ["2001:db8::1", /address is no name; use `to`/],
  ["[2001:db8::1]", /address is no name; use `to`/],
  ["10.0.0.0/8", /network is no name; use `to`/],
  ["10.0.0.1:80", /`to` and `ports`/],
  ["[2001:db8::1]:443", /`to` and `ports`/],
  ["example.com:443", /port.*use `ports`/],
  ["https://example.com/", /URL/],
  ["example.com/path", /cannot have "\/"/],
  ["a b.example", /space/],
  ["a..b", /two dots/],
  ["..example.com", /two dots/],
  ["example.com..", /two dots/],
  ["user@example.com", /cannot have "@"/],
  ["℀.com", /international/],
  [`${"a".repeat(64)}.example`, /longer than 63/],
  [`${"a.".repeat(127)}example`, /longer than 253/],
  ["10.0.0", /read as an address: its last part, "0", is a number/],
  ["example.0x1f", /read as an address: its last part, "0x1f", is a number/],
];

for (const [text, words] of REFUSED) {
  Deno.test(`parsePattern() refuses ${JSON.stringify(text).slice(0, 40)} with its reason`, () => {
    const read = parsePattern(text);
    assert.ok("problem" in read, JSON.stringify(read));
    assert.match(read.problem, words);
  });
}
