/**
 * A set of names as anybody would write it, to hold the table against: strings, and a look at each entry.
 * @module
 */
import type { NAME_KINDS } from "../../../../src/names/kinds.ts";
import type { Random } from "../../../laboratory/proxy/policies.ts";

/** An entry by the word for its kind. */
export interface NaiveEntry {
  readonly kind: keyof typeof NAME_KINDS;
  readonly name: string;
}

/** Tells whether an entry speaks of a name. */
export function speaksOf({ kind, name }: NaiveEntry, asked: string): boolean {
  const isBelow = asked.endsWith(`.${name}`);
  switch (kind) {
    case "exact":
      return asked === name;
    case "below":
      return isBelow;
    case "both":
    case "exception":
      return asked === name || isBelow;
  }
}

/** Tells whether a name is in the set. */
export function naiveHas(entries: readonly NaiveEntry[], asked: string): boolean {
  const speaking = entries.filter((entry) => speaksOf(entry, asked));
  return speaking.length > 0 && !speaking.some(({ kind }) => kind === "exception");
}

/** A name of few short labels, so that names meet each other and each other's suffixes. */
export function randomName(random: Random): string {
  return Array.from({ length: 1 + random.below(4) }, () => random.one(["a", "b", "ab", "ba", "x-1", "_"]))
    .join(".") + random.one([".a", ".b", ".ab"]);
}
