/**
 * The set of names that a rule has, as it is asked. No allocation in {@linkcode NameTable.has}. Pure.
 * @module
 */
import { NAME_KINDS } from "../kinds.ts";
import { mixHigh, mixLow } from "./hash.ts";
import { HEADER } from "./image.ts";
import { findSlot, FLAG_BITS } from "./slots.ts";

const DOT = 0x2e;
const { exact: EXACT, below: BELOW, exception: EXCEPTION } = NAME_KINDS;

/** A view of a set's image, one for each thread. */
export class NameTable {
  readonly #words: Int32Array;
  readonly #slots: number;
  readonly #hasExceptions: boolean;

  /** Views what a {@linkcode NameTableBuilder} has built. */
  constructor(image: SharedArrayBuffer) {
    this.#words = new Int32Array(image);
    this.#slots = this.#words[HEADER.slots];
    this.#hasExceptions = this.#words[HEADER.exceptions] !== 0;
  }

  /** Tells whether a canonical name, the first `length` bytes, is in the set. No name (0) is in none. */
  has(name: Uint8Array, length: number): boolean {
    const words = this.#words;
    let low = words[HEADER.seedLow];
    let high = words[HEADER.seedHigh];
    let found = false;
    for (let at = length - 1; at >= 0; at--) {
      const byte = name[at];
      low = mixLow(low, byte);
      high = mixHigh(high, byte);
      if (at > 0 && name[at - 1] !== DOT) continue;
      const flags = words[findSlot(words, HEADER.size, this.#slots, low, high) + 1] & FLAG_BITS;
      if ((flags & EXCEPTION) !== 0) return false;
      if ((flags & (at === 0 ? EXACT : BELOW)) === 0) continue;
      if (!this.#hasExceptions) return true;
      found = true;
    }
    return found;
  }
}
