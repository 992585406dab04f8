/**
 * The kernel's clocks.
 * @module
 */
import { CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID } from "./consts.ts";
import { TIMESPEC_SIZE } from "./layout.ts";
import { libc } from "./libc.ts";

const time = new BigInt64Array(TIMESPEC_SIZE / 8); // struct timespec { tv_sec, tv_nsec }

/**
 * CLOCK_MONOTONIC, in microseconds since some moment before this process. Deno's own clock counts from the
 * process' start.
 */
export function monotonicMicroseconds(): bigint {
  libc.clock_gettime(CLOCK_MONOTONIC, time);
  return time[0] * 1_000_000n + time[1] / 1000n;
}

let begin: number | undefined;

/**
 * CLOCK_MONOTONIC in milliseconds: all threads count them alike, and nobody sets it. Deno's own clock counts
 * from the start of the thread, so one call tells by how much the two differ.
 */
export function monotonicMilliseconds(): number {
  begin ??= Number(monotonicMicroseconds()) / 1000 - performance.now();
  return begin + performance.now();
}

/** Two clocks that are read one after the other may seem to have moved so far against each other. */
const READ_MS = 100;
let offset = NaN;

/**
 * Returns a moment of {@linkcode monotonicMilliseconds} as whole milliseconds since 1970, by the system's
 * clock as it is set now. The same moment is the same number until the clock is set.
 */
export function sinceEpoch(moment: number): number {
  const now = Date.now() - monotonicMilliseconds();
  if (!(Math.abs(now - offset) < READ_MS)) offset = now;
  return Math.round(moment + offset);
}

/** CLOCK_PROCESS_CPUTIME_ID: seconds of processor time that all threads of this process have had. */
export function processorSeconds(): number {
  libc.clock_gettime(CLOCK_PROCESS_CPUTIME_ID, time);
  return Number(time[0]) + Number(time[1]) / 1e9;
}
