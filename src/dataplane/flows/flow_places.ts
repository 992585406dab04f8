/**
 * Places of flows: small numbers, found by the addresses of both ends. Nothing is allocated for a flow.
 * @module
 */
import { mixWord } from "../shared/addresses.ts";
import { ADDRESS_WORDS } from "../shared/columns.ts";

/** The words of a key: two struct sockaddr, those of the client and of its destination. */
export const KEY_WORDS = 2 * ADDRESS_WORDS;
const NONE = -1;

/** The places, from 0 to the capacity. */
export class FlowPlaces {
  /** The keys, one behind another. */
  readonly keys: Int32Array;
  readonly #heads: Int32Array;
  readonly #next: Int32Array;
  readonly #free: number[] = [];
  #used = 0;
  // Where an attacker chooses the keys, he must not know where they go.
  readonly #seed = crypto.getRandomValues(new Int32Array(1))[0];

  /** `capacity`: a power of two. */
  constructor(capacity: number) {
    this.keys = new Int32Array(capacity * KEY_WORDS);
    this.#heads = new Int32Array(2 * capacity).fill(NONE);
    this.#next = new Int32Array(capacity);
  }

  /** The place of a flow; -1: it has none. */
  find(key: Int32Array): number {
    let place = this.#heads[this.#chain(key, 0)];
    while (place !== NONE && !this.#isKey(place, key)) place = this.#next[place];
    return place;
  }

  /** Gives a flow that has none a place; -1: all are taken. */
  add(key: Int32Array): number {
    const place = this.#free.pop() ?? (this.#used < this.#next.length ? this.#used++ : NONE);
    if (place === NONE) return NONE;
    const chain = this.#chain(key, 0);
    this.#next[place] = this.#heads[chain];
    this.#heads[chain] = place;
    for (let word = 0; word < KEY_WORDS; word++) this.keys[place * KEY_WORDS + word] = key[word];
    return place;
  }

  /** Takes the place back. */
  remove(place: number): void {
    const chain = this.#chain(this.keys, place * KEY_WORDS);
    let other = this.#heads[chain];
    if (other === place) this.#heads[chain] = this.#next[place];
    else {
      while (this.#next[other] !== place) other = this.#next[other];
      this.#next[other] = this.#next[place];
    }
    this.#free.push(place);
  }

  #isKey(place: number, key: Int32Array): boolean {
    const at = place * KEY_WORDS;
    for (let word = 0; word < KEY_WORDS; word++) if (this.keys[at + word] !== key[word]) return false;
    return true;
  }

  #chain(words: Int32Array, at: number): number {
    return hashKey(this.#seed, words, at) & (this.#heads.length - 1);
  }
}

/** Mixes the key that begins at `at` into a seed. */
export function hashKey(seed: number, words: Int32Array, at = 0): number {
  let hash = seed;
  for (let word = 0; word < KEY_WORDS; word++) hash = mixWord(hash, words[at + word]);
  hash = Math.imul(hash, 0x85ebca6b);
  return hash ^ (hash >>> 16);
}
