/**
 * The process in numbers.
 * @module
 */
import { monotonicMilliseconds, processorSeconds, sinceEpoch } from "../../../ffi/clock.ts";
import { descriptorLimit } from "../../../ffi/process.ts";
import type { ProcessNumbers } from "./snapshot.ts";

/** The moment at which the process began. */
let begin: number | undefined;

/** Reads them, from /proc too. */
export function readProcess(): ProcessNumbers {
  const limit = descriptorLimit();
  const mostDescriptors = typeof limit === "number" ? 0 : limit.soft;
  return {
    cpuSeconds: processorSeconds(),
    residentBytes: Deno.memoryUsage().rss,
    openDescriptors: countDescriptors() ?? mostDescriptors,
    mostDescriptors,
    started: sinceEpoch(begin ??= monotonicMilliseconds() - performance.now()) / 1000,
  };
}

/** Counts those that are open; undefined: not even a directory can be opened. */
function countDescriptors(): number | undefined {
  try {
    return [...Deno.readDirSync("/proc/self/fd")].length - 1; // the directory itself
  } catch {
    return undefined;
  }
}
