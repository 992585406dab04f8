/**
 * Ranges as the elements of an interval set: each start is an element, each end is one too, flagged, and holds the first
 * key after the range. Pure.
 * @module
 */
import type { Prefix } from "../../../net/ip.ts";
import type { NftElement } from "./element.ts";

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

/** The length of the prefix whose addresses are those of the range; undefined where there is none. */
export function prefixLength({ from, to }: KeyRange): number | undefined {
  let length = 0;
  while (length < from.length * 8 && bitAt(from, length) === bitAt(to, length)) length++;
  for (let bit = length; bit < from.length * 8; bit++) {
    if (bitAt(from, bit) !== 0 || bitAt(to, bit) !== 1) return undefined;
  }
  return length;
}

function bitAt(bytes: Uint8Array, bit: number): number {
  return (bytes[bit >> 3] >> (7 - (bit & 7))) & 1;
}

function compareKeys(a: Uint8Array, b: Uint8Array): number {
  for (let index = 0; index < a.length; index++) {
    if (a[index] !== b[index]) return a[index] - b[index];
  }
  return 0;
}

/** The key after this one; undefined after the last. */
function successor(key: Uint8Array): Uint8Array | undefined {
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

/** The elements of an interval set that holds these ranges, as nft writes them. */
export function intervalElements(ranges: readonly KeyRange[]): NftElement[] {
  const elements: NftElement[] = [];
  const merged = mergeRanges(ranges);
  // nft opens the key space with an end at zero, unless a range begins there.
  const first = merged[0]?.from;
  if (first?.some((byte) => byte !== 0)) {
    elements.push({ key: new Uint8Array(first.length), intervalEnd: true });
  }
  for (const range of merged) {
    const end = successor(range.to);
    if (end === undefined) elements.push({ key: range.from, intervalOpen: true });
    else elements.push({ key: range.from }, { key: end, intervalEnd: true });
  }
  return elements;
}

/** The ranges that an interval set's elements stand for: the inverse of {@linkcode intervalElements}. */
export function elementRanges(elements: readonly NftElement[]): KeyRange[] {
  const ranges: KeyRange[] = [];
  let open: Uint8Array | undefined;
  const sorted = [...elements].sort((a, b) =>
    compareKeys(a.key, b.key) || Number(b.intervalEnd ?? false) - Number(a.intervalEnd ?? false)
  );
  for (const element of sorted) {
    if (open !== undefined) ranges.push({ from: open, to: predecessor(element.key) });
    open = element.intervalEnd ? undefined : element.key;
  }
  if (open !== undefined) ranges.push({ from: open, to: new Uint8Array(open.length).fill(0xff) });
  return ranges;
}

function predecessor(key: Uint8Array): Uint8Array {
  const previous = key.slice();
  for (let index = previous.length - 1; index >= 0; index--) {
    previous[index]--;
    if (previous[index] !== 0xff) break;
  }
  return previous;
}
