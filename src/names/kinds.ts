/**
 * Kinds of entries in a set of names. Pure.
 * @module
 */

/**
 * Kinds as bits: an entry puts its name into the set, those below, or both. An `exception` takes its name and
 * all below out of the set, whatever else says that they are in it.
 */
export const NAME_KINDS = { exact: 1, below: 2, both: 3, exception: 4 } as const;

/** One of {@linkcode NAME_KINDS}. */
export type NameKind = (typeof NAME_KINDS)[keyof typeof NAME_KINDS];
