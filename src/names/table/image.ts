/**
 * The table of a set of names in shared memory: the header, then slots (slots.ts). Pure.
 *
 * Entries are suffixes of names. A slot is found by its hash alone, names are stored nowhere: for a million
 * of them the odds that a name which is in no list meets a slot of another are one in 10^12.
 * @module
 */

/** Words of the header, a line of the processor's cache. The seed is that of the hash. */
export const HEADER = { slots: 0, seedLow: 1, seedHigh: 2, exceptions: 3, size: 16 } as const;
