/**
 * The hash of a name, from its last byte to its first: on the way it is the hash of each of its suffixes.
 * 64 bits in two words. A step is a bijection of both words, so no step loses what earlier ones have told
 * apart. Pure.
 * @module
 */

/** The lower word after one more byte. */
export function mixLow(low: number, byte: number): number {
  const mixed = Math.imul(low ^ byte, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

/** The higher word after one more byte; `low` is the lower one after it. */
export function mixHigh(high: number, low: number, byte: number): number {
  const mixed = Math.imul(high ^ byte, 0x85ebca6b) + low | 0;
  return mixed ^ (mixed >>> 13);
}
