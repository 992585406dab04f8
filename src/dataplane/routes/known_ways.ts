/**
 * Ways of flows that were found out and hold for some seconds. Pure, and without allocation.
 * @module
 */
import { mixWord } from "../shared/addresses.ts";

/** Flows that are remembered; a power of two. */
const PLACES = 256;
/** Words of a flow. */
export const FLOW_WORDS = 18;
const TICK = FLOW_WORDS;
const WAY = FLOW_WORDS + 1;
const PLACE_WORDS = FLOW_WORDS + 2;

/** No way is known. */
export const UNKNOWN_WAY = 0;

/** The ways. */
export class KnownWays {
  /** The flow that is asked for. */
  readonly flow: Int32Array = new Int32Array(FLOW_WORDS);
  readonly #words = new Int32Array(PLACES * PLACE_WORDS);
  readonly #ticks: number;
  #place = 0;

  /** `ticks`: the time for which a way holds. */
  constructor(ticks: number) {
    this.#ticks = ticks;
  }

  /** Nothing holds any more. */
  forget(): void {
    this.#words.fill(0);
  }

  /** The way of {@linkcode flow}, as it was kept, or UNKNOWN_WAY. */
  find(tick: number): number {
    const { flow } = this;
    const words = this.#words;
    let hash = 0;
    for (let word = 0; word < FLOW_WORDS; word++) hash = mixWord(hash, flow[word]);
    const place = this.#place = (hash & (PLACES - 1)) * PLACE_WORDS;
    for (let word = 0; word < FLOW_WORDS; word++) {
      if (words[place + word] !== flow[word]) return UNKNOWN_WAY;
    }
    return tick - words[place + TICK] <= this.#ticks ? words[place + WAY] : UNKNOWN_WAY;
  }

  /** Keeps the way of the flow that was asked for last; 1 or more. */
  keep(tick: number, way: number): void {
    const { flow } = this;
    const words = this.#words;
    const place = this.#place;
    for (let word = 0; word < FLOW_WORDS; word++) words[place + word] = flow[word];
    words[place + TICK] = tick;
    words[place + WAY] = way;
  }
}
