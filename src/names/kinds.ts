/**
 * Kinds of entries in a set of names, and the names of which they speak. Pure.
 * @module
 */

/**
 * Kinds as bits: an entry puts its name into the set, those below, or both. An `exception` takes its name and
 * all below out of the set, whatever else says that they are in it.
 */
export const NAME_KINDS = { exact: 1, below: 2, both: 3, exception: 4 } as const;

/** One of {@linkcode NAME_KINDS}. */
export type NameKind = (typeof NAME_KINDS)[keyof typeof NAME_KINDS];

const DOT = 0x2e;

/** Tells whether an entry speaks of a name: the entry's own, or one below. */
export function covers(kind: NameKind, entry: Uint8Array, length: number, name: Uint8Array): boolean {
  const below = name.length - length;
  if (below < 0 || (kind === NAME_KINDS.exact && below > 0)) return false;
  if (kind === NAME_KINDS.below && below === 0) return false;
  if (below > 0 && name[below - 1] !== DOT) return false;
  for (let index = 0; index < length; index++) {
    if (entry[index] !== name[below + index]) return false;
  }
  return true;
}
