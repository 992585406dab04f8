/**
 * Files that may be missing, or be somebody else's: then there is nothing to read in them.
 * @module
 */
import type { Env } from "./env.ts";

/** Reads a file; the empty text where it cannot be read. */
export function readOrEmpty({ readTextFile }: Pick<Env, "readTextFile">, path: string): string {
  try {
    return readTextFile(path);
  } catch {
    return "";
  }
}
