/**
 * The lists of networks that rules take from files (`from-file`, `to-file`).
 * @module
 */
import { MAX_LIST_BYTES } from "../../names/list/read.ts";
import type { Prefix } from "../../net/ip.ts";
import { ConfigError, type ConfigProblem } from "../error.ts";
import { reasonAgainst } from "./plain.ts";
import { readReason } from "./reason.ts";
import { parseNetworkList } from "../values/networks.ts";
import type { ConfigFile } from "../schema/schema.ts";
import type { YamlSource } from "../yaml_source.ts";

/** Networks by the path of their file. */
export type NetworkLists = ReadonlyMap<string, readonly Prefix[]>;

const KEYS = ["from-file", "to-file"] as const;

/**
 * Reads every list that the rules name, each once. Throws a ConfigError: about the config where a list cannot
 * be read, about the list where a line of it is wrong.
 */
export function readNetworkLists(
  { rules }: ConfigFile,
  source: YamlSource,
  readTextFile: (path: string) => string,
): NetworkLists {
  const lists = new Map<string, readonly Prefix[]>();
  const problems: ConfigProblem[] = [];
  for (const [index, rule] of (rules ?? []).entries()) {
    for (const key of KEYS) {
      const path = rule[key];
      if (path === undefined || lists.has(path)) continue;
      const text = tryToRead(path, readTextFile);
      if (typeof text === "string") {
        lists.set(path, parseNetworkList(text, path));
      } else {
        const place = source.locate(["rules", index, key]);
        problems.push({ ...place, text: `rules[${index}].${key}: cannot read ${path}: ${text.reason}` });
      }
    }
  }
  if (problems.length > 0) throw new ConfigError(source.file, problems);
  return lists;
}

function tryToRead(path: string, readTextFile: (path: string) => string): string | { reason: string } {
  try {
    const reason = reasonAgainst(path, MAX_LIST_BYTES);
    return reason === undefined ? readTextFile(path) : { reason };
  } catch (error) {
    return { reason: readReason(error) };
  }
}
