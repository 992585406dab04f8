/**
 * Chance that repeats itself, by its seed.
 * @module
 */

/** A generator: xorshift32. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed, 0x9e3779b1) | 1;
  }

  /** A number from 0 up to `limit`, without it. */
  below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % limit;
  }

  /** Random bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  /** One of some. */
  pick<T>(things: readonly T[]): T {
    return things[this.below(things.length)];
  }
}
