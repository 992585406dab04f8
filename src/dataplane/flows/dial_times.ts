/**
 * The times until upstreams have answered, by family: a histogram of a worker in shared memory. Pure.
 * @module
 */
import { FAMILIES } from "../shared/totals.ts";

/** Upper bounds of the buckets, in milliseconds; one more bucket has the rest. */
export const DIAL_BOUNDS_MS = [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000] as const;

const BUCKETS = DIAL_BOUNDS_MS.length + 1;
/** A count for each bucket, and the sum of milliseconds. */
const CELL = BUCKETS + 1;

/** The histogram of one family. */
export interface DialHistogram {
  readonly family: typeof FAMILIES[number];
  /** Connections of each bucket, without those of the buckets before. */
  readonly counts: readonly number[];
  readonly sumMs: number;
}

/** Allocates the memory of a worker. */
export function allocateDialTimes(): SharedArrayBuffer {
  return new SharedArrayBuffer(FAMILIES.length * CELL * Float64Array.BYTES_PER_ELEMENT);
}

/** Adds one. Only the worker itself does. `family`: its number. */
export function noteDialTime(cells: Float64Array<SharedArrayBuffer>, family: number, ms: number): void {
  let bucket = 0;
  while (bucket < DIAL_BOUNDS_MS.length && ms > DIAL_BOUNDS_MS[bucket]) bucket++;
  cells[family * CELL + bucket]++;
  cells[family * CELL + BUCKETS] += ms;
}

/** Sums the histograms of all workers. */
export function sumDialTimes(memories: readonly SharedArrayBuffer[]): DialHistogram[] {
  const workers = memories.map((memory) => new Float64Array(memory));
  return FAMILIES.map((family, index) => {
    const sum = (cell: number) => workers.reduce((sum, cells) => sum + cells[index * CELL + cell], 0);
    return {
      family,
      counts: Array.from({ length: BUCKETS }, (_, bucket) => sum(bucket)),
      sumMs: sum(BUCKETS),
    };
  });
}
