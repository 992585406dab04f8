/**
 * SHA256SUMS, as `sha256sum` writes and `sha256sum -c` reads it. Pure.
 * @module
 */
import { sha256 } from "../build/bytes.ts";

/** Writes a line for each file, sorted by name. */
export function formatSums(files: ReadonlyMap<string, Uint8Array>): string {
  return [...files.keys()].sort().map((name) => `${sha256(files.get(name)!)}  ${name}\n`).join("");
}
