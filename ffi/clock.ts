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

/** CLOCK_PROCESS_CPUTIME_ID: seconds of processor time that all threads of this process have had. */
export function processorSeconds(): number {
  libc.clock_gettime(CLOCK_PROCESS_CPUTIME_ID, time);
  return Number(time[0]) + Number(time[1]) / 1e9;
}
