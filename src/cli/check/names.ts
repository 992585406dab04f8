/**
 * Sizes of the lists of names.
 * @module
 */
import { readDomainLists } from "../../config/files/domain_lists.ts";
import type { LoadedConfig } from "../../config/load.ts";
import type { BuiltNameSet } from "../../names/set.ts";
import { buildNameSets } from "../../policy/name_sets.ts";

/**
 * Reads the lists and returns a line for each of each rule. Throws a ConfigError for one that cannot be read,
 * an OperationError for one that is none.
 */
export function reportNames(loaded: LoadedConfig): string[] {
  const lists = readDomainLists(loaded, Deno.readFileSync);
  const { reports } = buildNameSets(loaded.config, lists, crypto.getRandomValues(new Int32Array(2)));
  return [...reports].flatMap(([index, files]) => files.map((file) => `rules[${index}]: ${describe(file)}`));
}

/** `/etc/ads.list: 214,870 names (3,412 twice, 57 lines of another kind, first: line 812)`. */
function describe(
  { path, names, duplicates, skipped, firstSkipped }: BuiltNameSet["reports"][number],
): string {
  const count = (number: number) => number.toLocaleString("en");
  const others = [
    ...(duplicates === 0 ? [] : [`${count(duplicates)} twice`]),
    ...(firstSkipped === undefined
      ? []
      : [`${count(skipped)} lines of another kind, first: line ${firstSkipped.number}`]),
  ];
  const none = names > 0 ? "" : "; without any, this list matches nothing";
  return `${path}: ${count(names)} names${others.length === 0 ? "" : ` (${others.join(", ")})`}${none}`;
}
