/**
 * Sets of names, as the policy asks them. Pure.
 * @module
 */

/** A set of names. It allocates nothing when it is asked. */
export interface NameSet {
  /** Tells whether the name in the first `length` bytes is in the set. Those bytes are canonical. */
  has(name: Uint8Array, length: number): boolean;
}

/** The memory of sets of names, by the number of the rule that they belong to. */
export type NameImages = ReadonlyMap<number, SharedArrayBuffer>;

/** Opens a set in its memory; {@linkcode NameImages} says where each is from. */
export type OpenNameSet = (image: SharedArrayBuffer) => NameSet;
