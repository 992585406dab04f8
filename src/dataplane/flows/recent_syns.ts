/**
 * The SYNs of connections that were accepted a moment ago: one that comes again was sent before its client
 * heard of it, and has waited. Nothing is allocated for a SYN.
 * @module
 */
import { hashKey } from "./flow_places.ts";

/** SYNs that are remembered; a power of two. One may take the place of another, which is then forgotten. */
const PLACES = 4096;

/** Places of the newest. */
export class RecentSyns {
  readonly #hashes = new Int32Array(PLACES);
  readonly #sequences = new Int32Array(PLACES);
  readonly #ticks = new Int32Array(PLACES).fill(-1);
  readonly #patience: number;
  // Where an attacker chooses the addresses, he must not know where they go.
  readonly #seed = crypto.getRandomValues(new Int32Array(1))[0];

  /** `patience`: ticks for which each is remembered. */
  constructor(patience: number) {
    this.#patience = patience;
  }

  /** Remembers the SYN of this flow that has this sequence number. */
  add(key: Int32Array, sequence: number, tick: number): void {
    const hash = hashKey(this.#seed, key);
    const place = hash & (PLACES - 1);
    this.#hashes[place] = hash;
    this.#sequences[place] = sequence;
    this.#ticks[place] = tick;
  }

  /** Tells whether it was added not long ago. */
  has(key: Int32Array, sequence: number, tick: number): boolean {
    const hash = hashKey(this.#seed, key);
    const place = hash & (PLACES - 1);
    const since = this.#ticks[place];
    return since >= 0 && tick - since <= this.#patience && this.#hashes[place] === hash &&
      this.#sequences[place] === sequence;
  }
}
