/**
 * Pace of an action that others bring about: at once after a quiet time, and less and less often while they
 * go on. Pure.
 * @module
 */

/** Pace of what is expensive: milliseconds between the first two, and the gap that it doubles up to. */
export const SLOW: Pace = { firstMs: 500, mostMs: 10_000 };
/** Pace of what may not wait for more than a second. */
export const FAST: Pace = { firstMs: 100, mostMs: 600 };
/** Milliseconds of quiet that make it forget. */
const QUIET_MS = 30_000;

/** See {@linkcode SLOW}. */
export interface Pace {
  readonly firstMs: number;
  readonly mostMs: number;
}

/** See the module. */
export class Pacer {
  readonly #pace: Pace;
  #gap: number;
  #last = -Infinity;

  constructor(pace: Pace = SLOW) {
    this.#pace = pace;
    this.#gap = pace.firstMs;
  }

  /**
   * Returns the milliseconds to wait before the action is done again; counts it as done then. `now` in
   * milliseconds, of a clock that only grows.
   */
  delay(now: number): number {
    if (now - this.#last >= QUIET_MS) {
      this.#gap = this.#pace.firstMs;
      this.#last = now;
      return 0;
    }
    const at = Math.max(now, this.#last + this.#gap);
    this.#gap = Math.min(this.#gap * 2, this.#pace.mostMs);
    this.#last = at;
    return at - now;
  }
}
