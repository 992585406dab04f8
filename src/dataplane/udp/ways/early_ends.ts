/**
 * Client endpoints whose session has ended although its flows were not silent, as to make room for another.
 * The kernel goes on to know these flows for some seconds, and a new session of the endpoint has no answer of
 * the router about them. Pure, and without allocation.
 * @module
 */
import { mixIp, mixWord } from "../../shared/addresses.ts";

/** Endpoints that are told apart; a power of two. Those that are not share their doubts. */
const PLACES = 1024;

/** The early ends of a worker's sessions. */
export class EarlyEnds {
  readonly #ticks = new Int32Array(PLACES);
  #seed: number;
  readonly #lasting: number;

  /**
   * `lasting`: ticks after which the kernel does not know a flow any more. `tick`: now; `any`: another worker
   * has failed before, whose sessions may have had any endpoint. `seed`: nobody from outside may know it.
   */
  constructor(lasting: number, { tick, any, seed }: { tick: number; any: boolean; seed: number }) {
    this.#lasting = lasting;
    this.#seed = seed;
    this.#ticks.fill(any ? tick : tick - lasting);
  }

  /** Notes the end of a session of the struct sockaddr at `at`. */
  note(words: Int32Array, at: number, tick: number): void {
    this.#ticks[this.#place(words, at)] = tick;
  }

  /** Tells whether the kernel may know flows of an earlier session of the endpoint. */
  concern(words: Int32Array, at: number, tick: number): boolean {
    return tick - this.#ticks[this.#place(words, at)] < this.#lasting;
  }

  /** Lists for how many ticks each place has been as it is, for another worker. */
  give(tick: number): Int32Array {
    return this.#ticks.map((last) => tick - last);
  }

  /** Goes on with what another has given, whose seed it has from now on. */
  inherit(ages: Int32Array, seed: number, tick: number): void {
    this.#seed = seed;
    if (ages.length === PLACES) this.#ticks.set(ages.map((age) => tick - age));
  }

  #place(words: Int32Array, at: number): number {
    const hash = mixIp(mixWord(this.#seed, words[at]), words, at);
    return (hash ^ (hash >>> 16)) & (PLACES - 1);
  }
}
