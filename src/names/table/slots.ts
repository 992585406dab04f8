/**
 * Slots of a table of hashes, and the search among them. Pure.
 *
 * A slot is two words: the hash's lower word, and its higher one without {@linkcode FLAG_BITS}, which are the
 * kinds of the entry. An entry lies in the first free slot from the one on that its hash names; behind the
 * last is the first.
 * @module
 */
import { NAME_KINDS } from "../kinds.ts";

/** Words of a slot. */
export const SLOT_WORDS = 2;

/** The bits that tell the kinds of an entry; 0 in a free slot. */
export const FLAG_BITS = NAME_KINDS.both | NAME_KINDS.exception;

const WORDS = 1 / 2 ** 32;

/**
 * Finds the slot of a hash among `slots` (fewer than 2^31, one of them free) from the word `base` on, or the
 * free slot that it would have. Returns its place in `words`.
 */
export function findSlot(words: Int32Array, base: number, slots: number, low: number, high: number): number {
  let slot = (low >>> 0) * slots * WORDS | 0;
  for (;;) {
    const at = base + slot * SLOT_WORDS;
    const kept = words[at + 1];
    if ((kept & FLAG_BITS) === 0) return at;
    if (words[at] === low && ((kept ^ high) & ~FLAG_BITS) === 0) return at;
    if (++slot === slots) slot = 0;
  }
}
