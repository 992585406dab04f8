/**
 * Counts of flows by name: of a rule, or of an upstream. Pure.
 * @module
 */
import type { Columns } from "../shared/columns.ts";
import { BLOCKED, FAILED, REFUSED, TIMED_OUT } from "../shared/endings.ts";

/** Flows of one name. */
export interface Hits {
  readonly name: string;
  /** Flows so far, live ones too. */
  readonly flows: number;
  readonly live: number;
  /** Flows that were blocked; they are among the first. */
  readonly blocked: number;
  /** Flows that have ended since nobody has answered as they wished; they are among the first. */
  readonly failed: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

type Sums = { -readonly [key in keyof Hits]: Hits[key] };

const FAILURES = [REFUSED, TIMED_OUT, FAILED];

/** See the module. */
export class Tally {
  readonly #sums = new Map<string, Sums>();

  /** Adds flows that have ended; `endings`: a number for each of ENDINGS. */
  add(
    name: string,
    ended: { readonly endings: readonly number[]; readonly bytesUp: number; readonly bytesDown: number },
  ): void {
    const sums = this.#of(name);
    sums.flows += ended.endings.reduce((sum, count) => sum + count);
    sums.blocked += ended.endings[BLOCKED];
    for (const ending of FAILURES) sums.failed += ended.endings[ending];
    sums.bytesUp += ended.bytesUp;
    sums.bytesDown += ended.bytesDown;
  }

  /** Adds the live session of a row. */
  addLive(name: string, { bytes, bytesBefore }: Columns, slot: number): void {
    const sums = this.#of(name);
    sums.flows++;
    sums.live++;
    sums.bytesUp += bytes[2 * slot] - bytesBefore[2 * slot];
    sums.bytesDown += bytes[2 * slot + 1] - bytesBefore[2 * slot + 1];
  }

  /** Returns the flows of a name so far. */
  of(name: string): Hits {
    return { ...this.#of(name) };
  }

  #of(name: string): Sums {
    let sums = this.#sums.get(name);
    if (sums === undefined) {
      sums = { name, flows: 0, live: 0, blocked: 0, failed: 0, bytesUp: 0, bytesDown: 0 };
      this.#sums.set(name, sums);
    }
    return sums;
  }
}
