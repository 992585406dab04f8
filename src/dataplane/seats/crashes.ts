/**
 * Decides how often workers may fail. Pure.
 * @module
 */

/** Number of failures within the window that are borne; one more is not. */
export const MAX_CRASHES = 5;
/** The window, milliseconds. */
export const CRASH_WINDOW_MS = 60_000;

/** The failures of late, of all workers together. */
export class Crashes {
  #times: number[] = [];

  /** Notes a failure at `now` (milliseconds); tells whether the worker may be replaced. */
  bears(now: number): boolean {
    this.#times = [...this.#times.filter((time) => now - time < CRASH_WINDOW_MS), now];
    return this.#times.length <= MAX_CRASHES;
  }
}
