/**
 * Gives back the memory that only the start has needed: of 95 MB of runtime a start touches 38 (the modules that it loads, V8's
 * snapshot, what compiles), a proxy that runs touches about 8. A router with little memory would find out by itself, but
 * only after it has thrown out pages that others need.
 * @module
 */
import { dropFilePages } from "../../ffi/pages.ts";

/** Part of a file in memory. */
export interface Mapping {
  /** Addresses of the first byte and of the one behind the last. */
  readonly start: bigint;
  readonly end: bigint;
}

/** START-END MODE OFFSET DEVICE INODE PATH: proc(5). Private mappings with a path, that nobody may write to. */
const LINE = /^([0-9a-f]+)-([0-9a-f]+) (r-xp|r--p) ([0-9a-f]+) \S+ \d+ +(\/.*)$/;

/**
 * Finds the runtime in the text of /proc/self/maps: the file with the most code. Its code, and the constants before it; what stands
 * behind the code may have been relocated, so it is no copy of the file. Pure.
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

/** Drops the runtime's pages, wherever they are not in use at this moment. Nothing of it can fail in a way that matters. */
export function dropProgramPages(readTextFile: (path: string) => string): void {
  let maps: string;
  try {
    maps = readTextFile("/proc/self/maps");
  } catch {
    return; // without /proc the kernel finds out by itself
  }
  for (const { start, end } of findProgram(maps)) dropFilePages(start, end - start);
}
