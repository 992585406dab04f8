/**
 * Ranges of keys: addresses of networks, ports, whatever is compared byte by byte in network order. Pure.
 * @module
 */
import type { Prefix } from "./ip.ts";

/** Keys from `from` to `to`, both included, equally long, in network order. */
export interface KeyRange {
  /** The first key. */
  readonly from: Uint8Array;
  /** The last key. */
  readonly to: Uint8Array;
}

/** The first and the last address of a network. */
export function prefixRange(prefix: Prefix): KeyRange {
  const from = prefix.address.bytes.slice();
  const to = prefix.address.bytes.slice();
  const whole = prefix.length >> 3;
  if (whole < from.length) {
    const hostBits = 0xff >> (prefix.length & 7);
    from[whole] &= ~hostBits;
    to[whole] |= hostBits;
    from.fill(0, whole + 1);
    to.fill(0xff, whole + 1);
  }
  return { from, to };
}

/** Compares keys of the same length: less than 0, 0 or more than 0. */
export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  for (let index = 0; index < a.length; index++) {
    if (a[index] !== b[index]) return a[index] - b[index];
  }
  return 0;
}

/** The key after this one; undefined after the last. */
export function successor(key: Uint8Array): Uint8Array | undefined {
  const next = key.slice();
  for (let index = next.length - 1; index >= 0; index--) {
    next[index]++;
    if (next[index] !== 0) return next;
  }
  return undefined;
}

/** The same keys in the fewest ranges, in order: what overlaps or touches becomes one. */
export function mergeRanges(ranges: readonly KeyRange[]): KeyRange[] {
  const merged: KeyRange[] = [];
  for (const range of [...ranges].sort((a, b) => compareKeys(a.from, b.from))) {
    const last = merged.at(-1);
    const after = last && successor(last.to);
    if (last === undefined || (after !== undefined && compareKeys(range.from, after) > 0)) {
      merged.push(range);
    } else if (compareKeys(range.to, last.to) > 0) {
      merged[merged.length - 1] = { from: last.from, to: range.to };
    }
  }
  return merged;
}
