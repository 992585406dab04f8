/**
 * A bound on how many there may be in a second. Pure.
 * @module
 */

/** A bucket that fills again within a second. */
export class Rate {
  readonly #perSecond: number;
  #left: number;
  #time: number;

  /** `now`: milliseconds. */
  constructor(perSecond: number, now: number) {
    this.#perSecond = this.#left = perSecond;
    this.#time = now;
  }

  /** Tells the time. A clock that was set fills the bucket. */
  turn(now: number): void {
    const passed = now - this.#time;
    const more = passed < 0 ? this.#perSecond : passed * this.#perSecond / 1000;
    this.#left = Math.min(this.#perSecond, this.#left + more);
    this.#time = now;
  }

  /** Tells whether there may be one more, and counts it. */
  allows(): boolean {
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }

  /** Takes the last one back: there was none. */
  giveBack(): void {
    this.#left++;
  }
}
