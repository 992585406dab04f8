/**
 * Gives back the memory that only the start has needed, or a reload. V8 holds 9 MB of garbage, and does not
 * look for it where nothing happens. Of 95 MB of runtime a start touches 38 (the modules that it loads, V8's
 * snapshot, what compiles), a proxy that runs touches 8 to 20. Where no compiled code can be kept, 25 MB more
 * lie free in malloc. A router with little memory would take file pages back by itself, but after pages that
 * others need.
 * @module
 */
import { collectGarbage, dropFilePages, returnFreeMemory } from "../../ffi/pages.ts";

/** Part of a file in memory. */
export interface Mapping {
  /** Addresses of the first byte and of the one behind the last. */
  readonly start: bigint;
  readonly end: bigint;
}

/**
 * START-END MODE OFFSET DEVICE INODE PATH: proc(5). Private mappings with a path, that nobody may write to.
 */
const LINE = /^([0-9a-f]+)-([0-9a-f]+) (r-xp|r--p) ([0-9a-f]+) \S+ \d+ +(\/.*)$/;

/**
 * Finds the runtime in the text of /proc/self/maps: the file with the most code. Its code, and the constants
 * before it; what stands behind the code may have been relocated, so it is no copy of the file. Pure.
 */
export function findProgram(maps: string): Mapping[] {
  const files = new Map<string, { code: bigint; mappings: Mapping[] }>();
  for (const line of maps.split("\n")) {
    const match = LINE.exec(line);
    if (match === null) continue;
    const [, from, to, mode, offset, path] = match;
    if (mode === "r--p" && BigInt(`0x${offset}`) !== 0n) continue;
    const mapping = { start: BigInt(`0x${from}`), end: BigInt(`0x${to}`) };
    const file = files.get(path) ?? { code: 0n, mappings: [] };
    files.set(path, file);
    file.mappings.push(mapping);
    if (mode === "r-xp") file.code += mapping.end - mapping.start;
  }
  const [largest] = [...files.values()].sort((a, b) => Number(b.code - a.code));
  return largest === undefined || largest.code === 0n ? [] : largest.mappings;
}

/**
 * Returns free memory, and drops the runtime's pages: those in use at this moment come back by themselves.
 */
export function giveBackAfterStart(readTextFile: (path: string) => string): void {
  collectGarbage();
  returnFreeMemory();
  for (const { start, end } of findProgram(readMaps(readTextFile))) dropFilePages(start, end - start);
}

function readMaps(readTextFile: (path: string) => string): string {
  try {
    return readTextFile("/proc/self/maps");
  } catch {
    return ""; // without /proc the kernel finds out by itself
  }
}
