/**
 * The making of a set's table: what `domains` and all lists of one rule say goes into one. Pure.
 * @module
 */
import { MAX_NAME_LENGTH } from "../canonical.ts";
import { NAME_KINDS, type NameKind } from "../kinds.ts";
import type { NamePattern } from "../pattern.ts";
import { mixHigh, mixLow } from "./hash.ts";
import { HEADER } from "./image.ts";
import { findSlot, FLAG_BITS, SLOT_WORDS } from "./slots.ts";

/** Slots to begin with. */
const FEWEST = 1024;
/** Share of the slots that are used at most while names come. */
const MOST_WHILE_GROWING = 0.7;
/** Share of the slots that are used in the image. */
const MOST_AT_LAST = 0.6;

const ENCODER = new TextEncoder();

/** Builder of a set. */
export class NameTableBuilder {
  /** Suffixes that have an entry. */
  #entries = 0;
  #hasExceptions = false;
  #slots = FEWEST;
  #words: Int32Array = new Int32Array(FEWEST * SLOT_WORDS);
  readonly #seedLow: number;
  readonly #seedHigh: number;
  readonly #text = new Uint8Array(MAX_NAME_LENGTH);

  /** Begins an empty set. `seed` is two random words, so that nobody can make lists that collide. */
  constructor(seed: Int32Array) {
    [this.#seedLow, this.#seedHigh] = seed;
  }

  /** Adds an entry: the first `length` bytes are a canonical name. Returns false if it was there already. */
  add(kind: NameKind, name: Uint8Array, length: number): boolean {
    let low = this.#seedLow;
    let high = this.#seedHigh;
    for (let at = length - 1; at >= 0; at--) {
      low = mixLow(low, name[at]);
      high = mixHigh(high, name[at]);
    }
    const at = findSlot(this.#words, 0, this.#slots, low, high);
    const flags = this.#words[at + 1] & FLAG_BITS;
    if ((flags | kind) === flags) return false;
    if (kind === NAME_KINDS.exception) this.#hasExceptions = true;
    this.#words[at] = low;
    this.#words[at + 1] = (high & ~FLAG_BITS) | flags | kind;
    if (flags === 0 && ++this.#entries > this.#slots * MOST_WHILE_GROWING) this.#grow();
    return true;
  }

  /** Adds an entry of `domains`. Returns false if it was there already. */
  addPattern({ kind, name }: NamePattern): boolean {
    return this.add(kind, this.#text, ENCODER.encodeInto(name, this.#text).written);
  }

  /** The set so far, in memory that a {@linkcode NameTable} of any thread reads. */
  build(): SharedArrayBuffer {
    const slots = Math.ceil(this.#entries / MOST_AT_LAST) + 1;
    const image = new SharedArrayBuffer(
      (HEADER.size + slots * SLOT_WORDS) * Int32Array.BYTES_PER_ELEMENT,
    );
    const words = new Int32Array(image);
    words[HEADER.slots] = slots;
    words[HEADER.seedLow] = this.#seedLow;
    words[HEADER.seedHigh] = this.#seedHigh;
    words[HEADER.exceptions] = this.#hasExceptions ? 1 : 0;
    this.#copy(words, HEADER.size, slots);
    return image;
  }

  #grow(): void {
    const slots = this.#slots * 2;
    const words = new Int32Array(slots * SLOT_WORDS);
    this.#copy(words, 0, slots);
    this.#slots = slots;
    this.#words = words;
  }

  #copy(words: Int32Array, base: number, slots: number): void {
    for (let from = 0; from < this.#words.length; from += SLOT_WORDS) {
      const high = this.#words[from + 1];
      if ((high & FLAG_BITS) === 0) continue;
      const at = findSlot(words, base, slots, this.#words[from], high);
      words[at] = this.#words[from];
      words[at + 1] = high;
    }
  }
}
