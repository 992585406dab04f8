/**
 * The lists of names that rules take from files (`domains-file`), as bytes: they may be large, and are no
 * part of the config.
 * @module
 */
import { MAX_LIST_BYTES, TOO_LARGE } from "../../names/list/read.ts";
import { ConfigError, type ConfigProblem } from "../error.ts";
import type { LoadedConfig } from "../load.ts";
import { reasonAgainst } from "./plain.ts";
import { readReason } from "./reason.ts";

/** Bytes by the path of their file. */
export type DomainLists = ReadonlyMap<string, Uint8Array>;

/**
 * Reads every list that the rules name, each once. `readFile` throws Deno's errors. Throws a ConfigError with
 * the places of all that cannot be read.
 */
export function readDomainLists(
  { config, origin, locate }: LoadedConfig,
  readFile: (path: string) => Uint8Array,
): DomainLists {
  const lists = new Map<string, Uint8Array>();
  const problems: ConfigProblem[] = [];
  for (const [index, { domainFiles = [] }] of config.rules.entries()) {
    for (const path of domainFiles) {
      if (lists.has(path)) continue;
      const bytes = tryToRead(path, readFile);
      if (bytes instanceof Uint8Array) {
        lists.set(path, bytes);
        continue;
      }
      const place = locate(["rules", index, "domains-file"]) ?? { line: 0, column: 0 };
      problems.push({ ...place, text: `rules[${index}].domains-file: cannot read ${path}: ${bytes.reason}` });
    }
  }
  if (problems.length > 0) throw new ConfigError(origin, problems);
  return lists;
}

function tryToRead(path: string, readFile: (path: string) => Uint8Array): Uint8Array | { reason: string } {
  try {
    const reason = reasonAgainst(path, MAX_LIST_BYTES);
    if (reason !== undefined) return { reason };
    const bytes = readFile(path);
    return bytes.length <= MAX_LIST_BYTES ? bytes : { reason: TOO_LARGE };
  } catch (error) {
    return { reason: readReason(error) };
  }
}
