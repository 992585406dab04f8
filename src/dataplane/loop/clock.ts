/**
 * A worker's clock: whole ticks, read once per turn of its loop.
 * @module
 */
import { monotonicMilliseconds } from "../../../ffi/clock.ts";
import { TICK_MS } from "./wheel.ts";

/** Counts ticks of TICK_MS since it was made. */
export class Clock {
  readonly #start = performance.now();
  /** The same moment as all threads count it. */
  readonly #begin = monotonicMilliseconds();
  #read = this.#start;
  /** The tick of this turn. */
  tick = 0;

  /** The moment of this turn, in milliseconds of CLOCK_MONOTONIC: the system's clock may be set meanwhile. */
  get time(): number {
    return this.#begin + this.tick * TICK_MS;
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
