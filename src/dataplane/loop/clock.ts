/**
 * A worker's clock: whole ticks, read once per turn of its loop.
 * @module
 */
import { TICK_MS } from "./wheel.ts";

/** Counts ticks of TICK_MS since it was made. */
export class Clock {
  readonly #start = performance.now();
  #read = this.#start;
  /** The tick of this turn. */
  tick = 0;

  /**
   * The time of this turn, in milliseconds since 1970, as far as the system's clock was right when the thread
   * began.
   */
  get time(): number {
    return performance.timeOrigin + this.#start + this.tick * TICK_MS;
  }

  /** The tick of this turn as all threads count them, in 32 bits. */
  get commonTick(): number {
    return (this.time / TICK_MS) | 0;
  }

  /** Milliseconds since {@linkcode update}. */
  get sinceUpdate(): number {
    return performance.now() - this.#read;
  }

  /** Reads the time. */
  update(): void {
    this.#read = performance.now();
    this.tick = Math.floor((this.#read - this.#start) / TICK_MS);
  }

  /** Milliseconds until `tick` begins, at least 1. */
  millisecondsTo(tick: number): number {
    return Math.max(1, Math.ceil(this.#start + tick * TICK_MS - performance.now()));
  }
}
