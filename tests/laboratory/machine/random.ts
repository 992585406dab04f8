/**
 * Chance that can be repeated. Pure.
 * @module
 */

/** A repeatable source of numbers (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** 0 to `limit` - 1. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  }

  one<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  /** One to three of them. */
  some<T>(items: readonly T[]): T[] {
    return Array.from({ length: 1 + this.below(3) }, () => this.one(items));
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
}
