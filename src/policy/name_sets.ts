/**
 * The sets of names of a config's rules. Pure.
 * @module
 */
import type { DomainLists } from "../config/files/domain_lists.ts";
import type { Config } from "../config/types.ts";
import { buildNameSet, type BuiltNameSet, type NameSources } from "../names/set.ts";
import { hasNames } from "./conditions.ts";

/** The memory of sets of names, by the number of the rule that they belong to. */
export type NameImages = ReadonlyMap<number, SharedArrayBuffer>;

/** The sets of all rules. */
export interface NameSets {
  readonly images: NameImages;
  /** By number of the rule. */
  readonly reports: ReadonlyMap<number, BuiltNameSet["reports"]>;
}

/**
 * Makes the sets; rules that name the same share one. `seed` is two random words. Throws an OperationError
 * for a list that is none.
 */
export function buildNameSets(config: Config, lists: DomainLists, seed: Int32Array): NameSets {
  const built = new Map<string, BuiltNameSet>();
  const images = new Map<number, SharedArrayBuffer>();
  const reports = new Map<number, BuiltNameSet["reports"]>();
  for (const [index, rule] of config.rules.entries()) {
    if (!hasNames(rule)) continue;
    const key = JSON.stringify([rule.domains, rule.domainFiles]);
    const set = built.get(key) ?? buildNameSet(nameSources(rule, lists), seed);
    built.set(key, set);
    images.set(index, set.image);
    reports.set(index, set.reports);
  }
  return { images, reports };
}

/** Collects what a rule's set is made of. */
export function nameSources(
  { domains = [], domainFiles = [] }: Pick<Config["rules"][number], "domains" | "domainFiles">,
  lists: DomainLists,
): NameSources {
  return {
    domains,
    lists: domainFiles.map((path) => {
      const bytes = lists.get(path);
      if (bytes === undefined) throw new TypeError(`The list ${path} was not read`);
      return { path, bytes };
    }),
  };
}
