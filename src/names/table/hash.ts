/**
 * The hash of a name, from its last byte to its first: on the way it is the hash of each of its suffixes.
 * 64 bits in two words. A step is a bijection of each word, so it loses nothing that earlier ones have told
 * apart; its shift brings the higher bits down, which a product leaves where they are. Pure.
 * @module
 */

/** The lower word after one more byte. */
export function mixLow(low: number, byte: number): number {
  const mixed = Math.imul(low ^ byte, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

/** The higher word after one more byte. */
export function mixHigh(high: number, byte: number): number {
  const mixed = Math.imul(high ^ byte, 0x85ebca6b);
  return mixed ^ (mixed >>> 13);
}
