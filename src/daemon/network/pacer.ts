/**
 * Pace of an action that others bring about: at once after a quiet time, and less and less often while they
 * go on. Pure.
 * @module
 */

/** Milliseconds between the first two. */
const FIRST_MS = 500;
/** The gap doubles up to this. */
const MOST_MS = 10_000;
/** Milliseconds of quiet that make it forget. */
const QUIET_MS = 30_000;

/** See the module. */
export class Pacer {
  #gap = FIRST_MS;
  #last = -Infinity;

  /**
   * Returns the milliseconds to wait before the action is done again; counts it as done then. `now` in
   * milliseconds, of a clock that only grows.
   */
  delay(now: number): number {
    if (now - this.#last >= QUIET_MS) {
      this.#gap = FIRST_MS;
      this.#last = now;
      return 0;
    }
    const at = Math.max(now, this.#last + this.#gap);
    this.#gap = Math.min(this.#gap * 2, MOST_MS);
    this.#last = at;
    return at - now;
  }
}
