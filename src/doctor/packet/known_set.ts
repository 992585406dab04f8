/**
 * Sets of nf_tables as far as they are known. Pure.
 * @module
 */
import type { Verdict } from "../../netlink/nft/data.ts";
import type { NftElement } from "../../netlink/nft/sets/element.ts";
import { type Answer, equals, highest, lowest, order, type PartialBytes, whole } from "./partial.ts";

/** A set as far as it is known. */
export interface KnownSet {
  readonly elements: readonly NftElement[];
  /** Its keys are the ends of ranges. */
  readonly interval: boolean;
}

/** Finds a set; undefined where it is not known. */
export type FindSet = (name: string) => KnownSet | undefined;

/** An answer whether a set has a key, and what a map has for it. */
export interface LookedUp {
  readonly answer: Answer;
  readonly value?: NftElement["value"];
}

/** Looks a key up; `key` reads so many bytes of it. */
export function lookUp(set: KnownSet, key: (length: number) => PartialBytes): LookedUp {
  const { elements, interval } = set;
  if (elements.length === 0) return { answer: "no" };
  if (elements.some(({ keyEnd }) => keyEnd !== undefined)) return { answer: "unknown" }; // of a concatenation
  const held = key(elements[0].key.length);
  if (interval) return lookUpInRanges(elements, held);
  const possible = elements.filter((element) => equals(held, element.key) !== "no");
  if (possible.length === 0) return { answer: "no" };
  if (equals(held, possible[0].key) !== "yes") return { answer: "unknown" };
  return { answer: "yes", value: possible[0].value };
}

/** Finds the range that both the lowest and the highest are in that a key can be. */
function lookUpInRanges(elements: readonly NftElement[], held: PartialBytes): LookedUp {
  const [low, high] = [lowest(held), highest(held)].map((key) => findRange(elements, key));
  if (low !== high) return { answer: "unknown" };
  return low === undefined || low.intervalEnd ? { answer: "no" } : { answer: "yes", value: low.value };
}

/** The element with the highest key up to this one: a range, or the end of one. */
function findRange(elements: readonly NftElement[], key: Uint8Array): NftElement | undefined {
  let nearest: NftElement | undefined;
  for (const element of elements) {
    if (compare(element.key, key) > 0) continue;
    const beyond = nearest === undefined ? 1 : compare(element.key, nearest.key);
    // Where one range ends and the next begins, the key is in the next.
    if (beyond > 0 || beyond === 0 && !element.intervalEnd) nearest = element;
  }
  return nearest;
}

function compare(a: Uint8Array, b: Uint8Array): number {
  return order(whole(a), b) ?? 0;
}

/** Lists all that a map of verdicts may lead to. */
export function listVerdicts({ elements }: KnownSet): Verdict[] {
  return elements.flatMap(({ value }) => value === undefined || value instanceof Uint8Array ? [] : [value]);
}
