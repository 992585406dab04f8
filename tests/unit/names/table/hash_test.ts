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
    const [lows, highs, both] = [new Set<number>(), new Set<number>(), new Set<string>()];
    const eighths = new Int32Array(8);
    for (const name of names) {
      const { low, high } = hash(name, SEED[0], SEED[1]);
      lows.add(low);
      highs.add(high);
      both.add(`${low} ${high}`);
      eighths[low >>> 29]++;
    }
    assert.equal(both.size, names.length);
    // Of 200,000 numbers of 32 bits, 4.7 meet another by chance.
    for (const { size } of [lows, highs]) assert.ok(names.length - size < 20, `${names.length - size} meet`);
    for (const count of eighths) assert.ok(Math.abs(count - names.length / 8) < 1000, eighths.join());
  });
}
