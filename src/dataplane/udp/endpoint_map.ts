/**
 * A hash table from endpoints (address, port) to small numbers, without an object per entry: open addressing
 * in typed arrays.
 * @module
 */
import { AF_INET } from "../../../ffi/consts.ts";

/** A key: the owner, family and port, the address. */
const KEY_WORDS = 6;
const EMPTY = -1;

/** Options of a map. */
export interface EndpointMapOptions {
  /** Lets ports count; without them it maps addresses. Default: yes. */
  readonly ports?: boolean;
  /** Entries that there is room for at first, a power of two. It grows as needed. */
  readonly initial?: number;
}

/**
 * Endpoints are given as a struct sockaddr at a word of some memory; `owner` is a number that tells the
 * endpoints of several owners apart. Values are 0 or more.
 */
export class EndpointMap {
  #keys: Int32Array;
  #values: Int32Array;
  #mask: number;
  #size = 0;
  readonly #portMask: number;
  // Where an attacker chooses the keys, he must not know where they go.
  readonly #seed = crypto.getRandomValues(new Int32Array(1))[0];
  /** The key in question. */
  readonly #key = new Int32Array(KEY_WORDS);

  constructor(options: EndpointMapOptions = {}) {
    const slots = (options.initial ?? 64) * 2;
    this.#keys = new Int32Array(slots * KEY_WORDS);
    this.#values = new Int32Array(slots).fill(EMPTY);
    this.#mask = slots - 1;
    this.#portMask = options.ports === false ? 0xffff : -1;
  }

  /** The number of entries. */
  get size(): number {
    return this.#size;
  }

  /** The value of an endpoint, -1 for none. */
  find(words: Int32Array, at: number, owner: number): number {
    this.#load(words, at, owner);
    return this.#values[this.#place()];
  }

  /** Sets the value of an endpoint. */
  set(words: Int32Array, at: number, owner: number, value: number): void {
    this.#load(words, at, owner);
    const place = this.#place();
    if (this.#values[place] === EMPTY) {
      this.#size++;
      this.#keys.set(this.#key, place * KEY_WORDS);
    }
    this.#values[place] = value;
    if (this.#size * 2 > this.#mask) this.#grow();
  }

  /** Removes an endpoint, if it is in. Its value, -1 for none. */
  delete(words: Int32Array, at: number, owner: number): number {
    this.#load(words, at, owner);
    let hole = this.#place();
    const value = this.#values[hole];
    if (value === EMPTY) return EMPTY;
    this.#size--;
    // Entries behind the hole that would not be found any more move into it.
    for (let at = (hole + 1) & this.#mask; this.#values[at] !== EMPTY; at = (at + 1) & this.#mask) {
      const home = this.#hash(this.#keys, at * KEY_WORDS);
      if (((at - home) & this.#mask) < ((at - hole) & this.#mask)) continue;
      this.#keys.copyWithin(hole * KEY_WORDS, at * KEY_WORDS, (at + 1) * KEY_WORDS);
      this.#values[hole] = this.#values[at];
      hole = at;
    }
    this.#values[hole] = EMPTY;
    return value;
  }

  #load(words: Int32Array, at: number, owner: number): void {
    const key = this.#key;
    const head = words[at];
    key[0] = owner;
    key[1] = head & this.#portMask;
    if ((head & 0xffff) === AF_INET) {
      key[2] = words[at + 1];
      key[3] = key[4] = key[5] = 0;
    } else {
      key[2] = words[at + 2];
      key[3] = words[at + 3];
      key[4] = words[at + 4];
      key[5] = words[at + 5];
    }
  }

  /** Finds the place of the key in question, present or future. */
  #place(): number {
    const key = this.#key;
    const keys = this.#keys;
    let place = this.#hash(key, 0);
    while (this.#values[place] !== EMPTY) {
      const at = place * KEY_WORDS;
      if (
        keys[at + 1] === key[1] && keys[at + 2] === key[2] && keys[at] === key[0] &&
        keys[at + 5] === key[5] && keys[at + 4] === key[4] && keys[at + 3] === key[3]
      ) break;
      place = (place + 1) & this.#mask;
    }
    return place;
  }

  #hash(words: Int32Array, at: number): number {
    let hash = this.#seed;
    for (let i = 0; i < KEY_WORDS; i++) {
      // The mixing step of MurmurHash3.
      let word = Math.imul(words[at + i], 0xcc9e2d51);
      word = (word << 15) | (word >>> 17);
      hash ^= Math.imul(word, 0x1b873593);
      hash = (hash << 13) | (hash >>> 19);
      hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
    }
    hash ^= hash >>> 16;
    hash = Math.imul(hash, 0x85ebca6b);
    hash ^= hash >>> 13;
    return hash & this.#mask;
  }

  #grow(): void {
    const keys = this.#keys;
    const values = this.#values;
    const slots = values.length * 2;
    this.#keys = new Int32Array(slots * KEY_WORDS);
    this.#values = new Int32Array(slots).fill(EMPTY);
    this.#mask = slots - 1;
    for (let i = 0; i < values.length; i++) {
      if (values[i] === EMPTY) continue;
      this.#key.set(keys.subarray(i * KEY_WORDS, (i + 1) * KEY_WORDS));
      const place = this.#place();
      this.#keys.set(this.#key, place * KEY_WORDS);
      this.#values[place] = values[i];
    }
  }
}
