/**
 * The memory of a ledger: the live sessions of one worker and one protocol, a row each, as columns. Pure.
 *
 * A worker writes, anybody reads at any time without waking it. Each row has a version, which is odd while
 * the row is being written: whoever has met the same even version before and after reading has read a whole
 * row.
 * @module
 */
import { AF_INET } from "../../../ffi/consts.ts";

/** Words of a struct sockaddr in a column of addresses. */
export const ADDRESS_WORDS = 8;
/** A place of its own for what is not of a row: two cache lines. */
const HEADER_BYTES = 128;
const FLOATS_PER_ROW = 5;
const WORDS_PER_ROW = 10 + 3 * ADDRESS_WORDS;
const ROW_BYTES = FLOATS_PER_ROW * 8 + WORDS_PER_ROW * 4;

// Words of the header.
const USED = 0;
const FENCE = 1;

/** Returns fresh memory for so many rows. Nothing of it is used before a session needs it. */
export function allocateLedger(rows: number): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + rows * ROW_BYTES);
}

/** A view on the columns; the row of a session is its slot. */
export class Columns {
  /** The number of rows. */
  readonly rows: number;
  /**
   * Two for each row, up and down: all bytes of payload that sessions of this row have ever passed on. They
   * only grow, so their sum over all rows is what the worker has passed on, at any time.
   */
  readonly bytes: Float64Array<SharedArrayBuffer>;
  /** Two for each row: what {@linkcode bytes} were when its session began. */
  readonly bytesBefore: Float64Array<SharedArrayBuffer>;
  /** Milliseconds of CLOCK_MONOTONIC. */
  readonly started: Float64Array<SharedArrayBuffer>;
  readonly version: Int32Array<SharedArrayBuffer>;
  /** 0: no session has the row. */
  readonly tag: Int32Array<SharedArrayBuffer>;
  readonly stage: Int32Array<SharedArrayBuffer>;
  /** The policy that decided on the session, and the rule in it. */
  readonly generation: Int32Array<SharedArrayBuffer>;
  readonly rule: Int32Array<SharedArrayBuffer>;
  /** The configured upstream that it goes through: the i-th is i + 1, 0 for none. */
  readonly carrier: Int32Array<SharedArrayBuffer>;
  /** Place of the name in the worker's {@linkcode NamePlaces}, -1 for none. */
  readonly name: Int32Array<SharedArrayBuffer>;
  /** Milliseconds from its begin until the upstream had answered; -1: it has not, or nobody wants to know. */
  readonly connectMs: Int32Array<SharedArrayBuffer>;
  /** Descriptors, -1 for none. */
  readonly clientFd: Int32Array<SharedArrayBuffer>;
  readonly upstreamFd: Int32Array<SharedArrayBuffer>;
  /** Struct sockaddr, ADDRESS_WORDS each; family 0: not known. */
  readonly client: Int32Array<SharedArrayBuffer>;
  readonly destination: Int32Array<SharedArrayBuffer>;
  readonly upstream: Int32Array<SharedArrayBuffer>;
  readonly #header: Int32Array<SharedArrayBuffer>;

  constructor(memory: SharedArrayBuffer) {
    const rows = Math.floor((memory.byteLength - HEADER_BYTES) / ROW_BYTES);
    let at = HEADER_BYTES;
    const floats = (count: number): Float64Array<SharedArrayBuffer> => {
      const column = new Float64Array(memory, at, rows * count);
      at += column.byteLength;
      return column;
    };
    const words = (count = 1): Int32Array<SharedArrayBuffer> => {
      const column = new Int32Array(memory, at, rows * count);
      at += column.byteLength;
      return column;
    };
    this.rows = rows;
    this.#header = new Int32Array(memory, 0, HEADER_BYTES / 4);
    this.bytes = floats(2);
    this.bytesBefore = floats(2);
    this.started = floats(1);
    this.version = words();
    this.tag = words();
    this.stage = words();
    this.generation = words();
    this.rule = words();
    this.carrier = words();
    this.name = words();
    this.connectMs = words();
    this.clientFd = words();
    this.upstreamFd = words();
    // The addresses begin where a cache line does: for any number of rows that is a multiple of 8.
    this.client = words(ADDRESS_WORDS);
    this.destination = words(ADDRESS_WORDS);
    this.upstream = words(ADDRESS_WORDS);
  }

  /** Rows that have ever been used: all others are empty. */
  get used(): number {
    return Atomics.load(this.#header, USED);
  }

  /** Notes, as the writer, that a row is used. */
  use(slot: number): void {
    if (slot >= this.#header[USED]) Atomics.store(this.#header, USED, slot + 1);
  }

  /** The number of the family of a row's client: 0 for IPv4, 1 for IPv6. */
  familyOf(slot: number): number {
    return (this.client[slot * ADDRESS_WORDS] & 0xffff) === AF_INET ? 0 : 1;
  }

  /** Begins, as the writer, to change a row. */
  begin(slot: number): void {
    Atomics.add(this.version, slot, 1);
    // Nothing that is written from here on may be seen before the version is: a load after the store sees to
    // it.
    Atomics.load(this.version, slot);
  }

  /** Ends the change. */
  settle(slot: number): void {
    Atomics.add(this.version, slot, 1);
  }

  /** Ends a change in the midst of which the writer has failed. */
  mend(slot: number): void {
    if ((this.version[slot] & 1) !== 0) this.settle(slot);
  }

  /** Returns, before a reading, the version of a row; odd: the row is being written. */
  versionBefore(slot: number): number {
    return Atomics.load(this.version, slot);
  }

  /** Returns the version after a reading. */
  versionAfter(slot: number): number {
    // All that was read before must have been read by now: a store between the loads sees to it.
    Atomics.store(this.#header, FENCE, 0);
    return Atomics.load(this.version, slot);
  }

  /** Lists the generations of live sessions; rows need not be whole. */
  liveGenerations(): number[] {
    const generations = new Set<number>();
    for (let slot = 0; slot < this.used; slot++) {
      if (this.tag[slot] !== 0) generations.add(this.generation[slot]);
    }
    return [...generations];
  }

  /** Sums the bytes up and down over all rows. */
  sumBytes(): { up: number; down: number } {
    let up = 0;
    let down = 0;
    for (let slot = 0; slot < this.used; slot++) {
      up += this.bytes[2 * slot];
      down += this.bytes[2 * slot + 1];
    }
    return { up, down };
  }
}
