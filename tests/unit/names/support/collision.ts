/**
 * Names that have the same hash under a seed that is known.
 * @module
 */
import { mixHigh, mixLow } from "../../../../src/names/table/hash.ts";
import { FLAG_BITS } from "../../../../src/names/table/slots.ts";

const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
const PIECE = 4;
/** Choices between two pieces: 2^16 names, among which some agree in the 29 bits that are left. */
const CHOICES = 16;
const SLOT_BITS = 20;

/**
 * Two names with the same hash. The lower word does not depend on the higher one: after each choice between
 * two pieces it is the same, so that many names share it; two of them share the higher one by chance. With
 * `lowerWordOnly`, two names that differ in the higher word.
 */
export function collidingNames(
  seed: Int32Array,
  options: { lowerWordOnly?: boolean } = {},
): [string, string] {
  const choices: [string, string][] = [];
  let low = seed[0];
  for (let choice = 0; choice < CHOICES; choice++) {
    // A label has room for 15 pieces.
    const end = choice === CHOICES - 1 ? "." : "";
    const pair = twoPieces(low, end);
    choices.push(pair);
    low = hash(pair[0], low, 0).low;
  }
  const byHigh = new Map<number, string>();
  for (let number = 0; number < 2 ** CHOICES; number++) {
    // The hash runs from the last byte to the first.
    const name = "a" + choices.map((pair, index) => pair[number >> index & 1]).reverse().join("");
    const { high } = hash(name, seed[0], seed[1]);
    const key = high & ~FLAG_BITS;
    const other = byHigh.get(key) ?? (options.lowerWordOnly ? byHigh.values().next().value : undefined);
    if (other !== undefined) return [other, name];
    byHigh.set(key, name);
  }
  throw new Error("No two names collide");
}

/** Two pieces after which the lower word is the same. */
function twoPieces(low: number, end: string): [string, string] {
  const begun = hash(end, low, 0).low;
  // A Map of a million such numbers takes seconds.
  const [words, numbers] = [new Int32Array(1 << SLOT_BITS), new Int32Array(1 << SLOT_BITS)];
  for (let number = 1;; number++) {
    let after = begun;
    for (let index = 0; index < PIECE; index++) after = mixLow(after, letterOf(number, index));
    const slot = after >>> (32 - SLOT_BITS);
    const other = numbers[slot];
    if (other > 0 && words[slot] === after) return [pieceOf(other) + end, pieceOf(number) + end];
    words[slot] = after;
    numbers[slot] = number;
  }
}

/** The letter that stands `index` places before the end of a numbered piece. */
function letterOf(number: number, index: number): number {
  return LETTERS.charCodeAt(Math.floor(number / LETTERS.length ** index) % LETTERS.length);
}

function pieceOf(number: number): string {
  return String.fromCharCode(
    ...Array.from({ length: PIECE }, (_, index) => letterOf(number, index)).reverse(),
  );
}

/** The hash of a text after other bytes. */
export function hash(text: string, low: number, high: number): { low: number; high: number } {
  for (let at = text.length - 1; at >= 0; at--) {
    low = mixLow(low, text.charCodeAt(at));
    high = mixHigh(high, text.charCodeAt(at));
  }
  return { low, high };
}
