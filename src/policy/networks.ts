/**
 * Sorted ranges in shared memory, and the search in them: networks, ports, hardware addresses. Pure.
 *
 * ```
 * set:  count | first keys, ascending | last keys, in the same order
 * ```
 * A key is one, two or four words. Words are signed where memory is shared: their highest bit is inverted, so
 * that they compare as their unsigned values do.
 * @module
 */
import type { KeyRange } from "../net/ranges.ts";

const HIGHEST_BIT = 1 << 31;

/** Counts the words that a set takes. */
export function setSize(ranges: readonly KeyRange[], width: number): number {
  return 1 + 2 * ranges.length * width;
}

/**
 * Writes a set. `ranges` are in order and do not overlap; keys of other lengths than whole words get zeros in
 * front.
 */
export function writeSet(tables: Int32Array, set: number, ranges: readonly KeyRange[], width: number): void {
  tables[set] = ranges.length;
  let first = set + 1;
  let last = first + ranges.length * width;
  for (const { from, to } of ranges) {
    writeKey(tables, first, from, width);
    writeKey(tables, last, to, width);
    first += width;
    last += width;
  }
}

function writeKey(tables: Int32Array, at: number, bytes: Uint8Array, width: number): void {
  const padding = width * 4 - bytes.length;
  for (let word = 0; word < width; word++) {
    let value = 0;
    for (let byte = word * 4 - padding; byte < word * 4 - padding + 4; byte++) {
      value = (value << 8) | (byte < 0 ? 0 : bytes[byte]);
    }
    tables[at + word] = value ^ HIGHEST_BIT;
  }
}

/** Looks for a key, `width` words that are not inverted, in a set. */
export function isInSet(tables: Int32Array, set: number, key: Int32Array, width: number): boolean {
  const count = tables[set];
  const firsts = set + 1;
  let low = 0;
  let high = count;
  // The last range that begins at the key or before it.
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKey(tables, firsts + middle * width, key, width) <= 0) low = middle + 1;
    else high = middle;
  }
  return low > 0 && compareKey(tables, firsts + (count + low - 1) * width, key, width) >= 0;
}

/** Less than 0, 0 or more than 0, as the word in the tables is less, equal or more. */
function compareKey(tables: Int32Array, at: number, key: Int32Array, width: number): number {
  for (let word = 0; word < width; word++) {
    const ours = tables[at + word];
    const theirs = key[word] ^ HIGHEST_BIT;
    if (ours !== theirs) return ours < theirs ? -1 : 1;
  }
  return 0;
}
