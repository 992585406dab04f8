/**
 * Counts of connections or sessions by client, over all workers, in shared memory: two rows of counters, in
 * each of which a client's address has a place. Two clients that share one of the places do not share the
 * other; the lower number counts.
 * @module
 */
import { mixIp } from "./addresses.ts";

/** A power of two. Of a thousand clients, one in four thousand meets others in both places. */
const PLACES = 65536;
const PLACE_BITS = 16;
/** The words of shared memory that it takes: a seed, one unused, and two rows. */
export const PER_CLIENT_WORDS = 2 + 2 * PLACES;

/** Makes the words ready, before another thread looks at them. */
export function preparePerClient(words: Int32Array): void {
  words[0] = crypto.getRandomValues(new Int32Array(1))[0];
}

/** The counts of all clients. */
export class PerClient {
  readonly #words: Int32Array<SharedArrayBuffer>;

  constructor(words: Int32Array<SharedArrayBuffer>) {
    this.#words = words;
  }

  /**
   * Adds one for the address of the struct sockaddr at `at` in `words`. Returns the excess over `limit` now:
   * 0 or less, there is none. A caller that gets more than 0 removes one again, this or another. Counts
   * without a limit, 0, as well: a limit may come later.
   */
  add(words: Int32Array, at: number, limit: number): number {
    const count = this.#change(words, at, 1);
    return limit === 0 ? 0 : count - limit;
  }

  /** Returns the excess that {@linkcode add} would return, and adds nothing. */
  wouldExceed(words: Int32Array, at: number, limit: number): number {
    return limit === 0 ? 0 : this.#change(words, at, 0) + 1 - limit;
  }

  /** Takes one away. */
  remove(words: Int32Array, at: number): void {
    this.#change(words, at, -1);
  }

  #change(words: Int32Array, at: number, by: number): number {
    let hash = mixIp(this.#words[0], words, at);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    const other = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    const one = Atomics.add(this.#words, 2 + (hash >>> (32 - PLACE_BITS)), by) + by;
    const two = Atomics.add(this.#words, 2 + PLACES + ((other ^ (other >>> 16)) & (PLACES - 1)), by) + by;
    return Math.min(one, two);
  }
}
