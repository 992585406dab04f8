/**
 * States of upstreams, in memory that the main thread and the workers share: workers note what they
 * meet, the main thread checks. Each upstream has a place in it, which it keeps over reloads.
 * @module
 */

/** States of an upstream. */
export const UP = 0;
/** State of one that does not do its work. */
export const DOWN = 1;
/** State of one that refuses us as configured. */
export const REFUSED = 2;

/** Places. */
export const MOST_UPSTREAMS = 256;

// Words of a place.
const STATE = 0;
/** Faults in a row. */
const FAULTS = 1;
/** The errno of the last. */
const ERROR = 2;
/** Moment at which a flow was last led there: seconds of CLOCK_MONOTONIC, 0 for never. */
const USED = 3;
/** Moment of the last line in the log about flows that found nobody up, the same way. */
const TOLD = 4;
const WORDS = 5;
/** Seconds between two such lines, of whatever worker. */
const QUIET_SECONDS = 60;
const CONNECTIONS_AT = MOST_UPSTREAMS * WORDS;

/** A view on the memory; make one per thread from the same buffer. */
export class UpstreamHealth {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #workers: number;
  /** The worker's own counts of connections: nobody else writes them. */
  readonly #own: Int32Array<SharedArrayBuffer>;

  /** Fresh memory for so many workers, or a view on what another thread made. */
  constructor(from: number | SharedArrayBuffer, worker = 0) {
    this.buffer = typeof from === "number"
      ? new SharedArrayBuffer((CONNECTIONS_AT + from * MOST_UPSTREAMS) * Int32Array.BYTES_PER_ELEMENT)
      : from;
    this.#words = new Int32Array(this.buffer);
    this.#workers = (this.#words.length - CONNECTIONS_AT) / MOST_UPSTREAMS;
    this.#own = this.#connectionsOf(worker);
  }

  /** The state: UP, DOWN or REFUSED. */
  state(place: number): number {
    return Atomics.load(this.#words, place * WORDS + STATE);
  }

  /** Changes the state. Faults before do not count any more. */
  setState(place: number, state: number): void {
    Atomics.store(this.#words, place * WORDS + FAULTS, 0);
    Atomics.store(this.#words, place * WORDS + STATE, state);
  }

  /** The errno of the last fault; 0: there was none. */
  lastError(place: number): number {
    return Atomics.load(this.#words, place * WORDS + ERROR);
  }

  /** Moment at which a flow was last led there, in seconds of CLOCK_MONOTONIC; -Infinity: never. */
  lastUse(place: number): number {
    return Atomics.load(this.#words, place * WORDS + USED) || -Infinity;
  }

  /** Notes that a flow is led there. `time`: milliseconds of CLOCK_MONOTONIC. */
  used(place: number, time: number): void {
    Atomics.store(this.#words, place * WORDS + USED, Math.ceil(time / 1000));
  }

  /** Notes that it has carried a flow: faults are no longer in a row. */
  worked(place: number): void {
    const at = place * WORDS + FAULTS;
    if (this.#words[at] !== 0) Atomics.store(this.#words, at, 0);
  }

  /** Notes that it has failed a flow; `fall` of them in a row, and it is down. */
  failed(place: number, errno: number, fall: number): void {
    const at = place * WORDS;
    Atomics.store(this.#words, at + ERROR, errno);
    const faults = Atomics.add(this.#words, at + FAULTS, 1) + 1;
    if (faults >= fall) Atomics.compareExchange(this.#words, at + STATE, UP, DOWN);
  }

  /** Notes that it does not want us. Tells whether that is new. */
  refused(place: number): boolean {
    return Atomics.compareExchange(this.#words, place * WORDS + STATE, UP, REFUSED) === UP;
  }

  /** Allows one worker a line in the log, once a minute. `time`: milliseconds of CLOCK_MONOTONIC. */
  mayTell(place: number, time: number): boolean {
    const at = place * WORDS + TOLD;
    const now = Math.ceil(time / 1000);
    const last = Atomics.load(this.#words, at);
    return (last === 0 || now - last >= QUIET_SECONDS) &&
      Atomics.compareExchange(this.#words, at, last, now) === last;
  }

  /** Adds to the worker's connections through it. */
  addConnections(place: number, change: number): void {
    this.#own[place] += change;
  }

  /** Connections of all workers through it, those that are dialled included. */
  connections(place: number): number {
    let sum = 0;
    for (let at = CONNECTIONS_AT + place; at < this.#words.length; at += MOST_UPSTREAMS) {
      sum += this.#words[at];
    }
    return sum;
  }

  /** Takes away all connections of a worker that has failed. */
  forgetWorker(worker: number): void {
    if (worker < this.#workers) this.#connectionsOf(worker).fill(0);
  }

  /** Forgets all of a place that is to be another upstream's. */
  clear(place: number): void {
    this.#words.fill(0, place * WORDS, (place + 1) * WORDS);
  }

  #connectionsOf(worker: number): Int32Array<SharedArrayBuffer> {
    const from = CONNECTIONS_AT + worker * MOST_UPSTREAMS;
    return this.#words.subarray(from, from + MOST_UPSTREAMS);
  }
}
