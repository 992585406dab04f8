import assert from "node:assert/strict";
import { makeNames } from "../../../laboratory/names/lists.ts";
import { hash } from "../support/collision.ts";
import { SEED } from "../support/sets.ts";

/** Names that differ in little: neighbours, and the same letters in another order. */
const CLOSE = Array.from({ length: 100_000 }, (_, index) => {
  const digits = String(index).padStart(6, "0");
  return [`${digits}.example.com`, `a${digits[5]}.${digits.slice(0, 5)}.com`];
}).flat();

for (
  const [kind, names] of [["like those of lists", makeNames(200_000)], ["that are close", CLOSE]] as const
) {
  Deno.test(`a hash spreads names ${kind} as chance would`, () => {
    const words = { low: new Set(), high: new Set(), bottoms: new Set(), tops: new Set() };
    const both = new Set<string>();
    const eighths = new Int32Array(8);
    for (const name of names) {
      const { low, high } = hash(name, SEED[0], SEED[1]);
      words.low.add(low);
      words.high.add(high);
      // The bits that a product mixes least, without those that tell kinds.
      words.bottoms.add(low << 16 | (high >>> 3) & 0xffff);
      words.tops.add((low >>> 16) << 16 | high >>> 16);
      both.add(`${low} ${high}`);
      eighths[low >>> 29]++;
    }
    assert.equal(both.size, names.length);
    // Of 200,000 numbers of 32 bits, 4.7 meet another by chance.
    for (const [word, { size }] of Object.entries(words)) {
      assert.ok(names.length - size < 20, `${word}: ${names.length - size} meet`);
    }
    for (const count of eighths) assert.ok(Math.abs(count - names.length / 8) < 1000, eighths.join());
  });
}

Deno.test("each bit of a byte changes each bit of the hash in half of the names", () => {
  const names = makeNames(2000).filter((name) => name.length >= 12);
  for (let bit = 0; bit < 6; bit++) {
    const changes = new Int32Array(64);
    for (const name of names) {
      // Six bytes follow on the way to the name's beginning.
      const changed = name.slice(0, 6) + String.fromCharCode(name.charCodeAt(6) ^ (1 << bit)) + name.slice(7);
      const [one, two] = [name, changed].map((text) => hash(text, SEED[0], SEED[1]));
      for (let at = 0; at < 32; at++) {
        changes[at] += ((one.low ^ two.low) >>> at) & 1;
        changes[32 + at] += ((one.high ^ two.high) >>> at) & 1;
      }
    }
    for (const [at, count] of changes.entries()) {
      const share = count / names.length;
      assert.ok(
        share > 0.4 && share < 0.6,
        `bit ${bit} of a byte changes bit ${at} in ${share} of the names`,
      );
    }
  }
});
