/**
 * The process in numbers.
 * @module
 */
import { processorSeconds } from "../../../ffi/clock.ts";
import { descriptorLimit } from "../../../ffi/process.ts";
import type { ProcessNumbers } from "./snapshot.ts";

/** Reads them, from /proc too. */
export function readProcess(): ProcessNumbers {
  const limit = descriptorLimit();
  const mostDescriptors = typeof limit === "number" ? 0 : limit.soft;
  return {
    cpuSeconds: processorSeconds(),
    residentBytes: Deno.memoryUsage().rss,
    openDescriptors: countDescriptors() ?? mostDescriptors,
    mostDescriptors,
    started: performance.timeOrigin / 1000,
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
