/**
 * Ranges as the elements of an interval set: each start is an element, each end is one too, flagged, and
 * holds the first key after the range. Pure.
 * @module
 */
import { compareKeys, type KeyRange, mergeRanges, successor } from "../../../net/ranges.ts";
import type { NftElement } from "./element.ts";

export { type KeyRange, mergeRanges, prefixRange } from "../../../net/ranges.ts";

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
