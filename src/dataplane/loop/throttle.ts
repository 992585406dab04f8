/**
 * Warnings that a flood would repeat for every packet.
 * @module
 */
import type { Clock } from "./clock.ts";
import { TICK_MS } from "./wheel.ts";

/** A warning stands in the log at most once in so many ticks (30 s). */
const QUIET_TICKS = 30_000 / TICK_MS;

/** One warning's pauses. */
export class Throttle {
  readonly #clock: Clock;
  #lastTick = -QUIET_TICKS;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Allows the warning now; if so, not again for a while. */
  allows(): boolean {
    const { tick } = this.#clock;
    if (tick - this.#lastTick < QUIET_TICKS) return false;
    this.#lastTick = tick;
    return true;
  }
}
