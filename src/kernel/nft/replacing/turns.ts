/**
 * Names of sets of ranges, which take turns: while rules look into the one, a set for the next rules is made
 * under the other. Pure.
 * @module
 */
import type { TableContents } from "../model.ts";
import { setProperties } from "../set_elements.ts";
import type { InstalledTable } from "../state/state.ts";
import { renameContents, renameExpressions } from "./renaming.ts";

/** Ending of the other name. No set of a plan has it. */
const OTHER = "_b";

const same = (name: string) => name;

/** Tells whether the kernel finds a set's elements some time after it has the set. */
export function isOfRanges({ flags = [] }: { readonly flags?: readonly string[] }): boolean {
  return flags.includes("interval") && !flags.includes("anonymous");
}

/** Gives sets of ranges the name that is not `taken`; undefined: both are. */
export function inTurn(contents: TableContents, taken: ReadonlySet<string>): TableContents | undefined {
  const names = new Map<string, string>();
  for (const set of contents.sets) {
    if (!isOfRanges(setProperties(set)) || !taken.has(set.name)) continue;
    if (taken.has(set.name + OTHER)) return undefined;
    names.set(set.name, set.name + OTHER);
  }
  return renameContents(contents, { set: (name) => names.get(name) ?? name, chain: same });
}

/** Gives the sets of a table of the kernel the names that the plan has for them. */
export function asPlanned(installed: InstalledTable): InstalledTable {
  const taken = new Set(installed.sets.map(({ name }) => name));
  const plannedName = (name: string) => {
    const planned = name.endsWith(OTHER) ? name.slice(0, -OTHER.length) : name;
    return taken.has(planned) ? name : planned;
  };
  return {
    ...installed,
    sets: installed.sets.map((set) => isOfRanges(set) ? { ...set, name: plannedName(set.name) } : set),
    rules: installed.rules.map((rule) => ({
      ...rule,
      expressions: renameExpressions(rule.expressions, { set: plannedName, chain: same }),
    })),
  };
}
