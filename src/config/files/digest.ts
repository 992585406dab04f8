/**
 * A short stand-in for the bytes of a list: equal lists have equal ones, others hardly ever. Pure.
 * @module
 */

const [FIRST_BASIS, FIRST_PRIME] = [0x811c9dc5, 0x01000193];
const [SECOND_BASIS, SECOND_PRIME] = [0x9e3779b1, 0x85ebca6b];

/** FNV-1a, and the same with other numbers beside it: 64 bits, and the length. */
export function digest(bytes: Uint8Array): string {
  let first = FIRST_BASIS;
  let second = SECOND_BASIS;
  for (const byte of bytes) {
    first = Math.imul(first ^ byte, FIRST_PRIME);
    second = Math.imul(second ^ byte, SECOND_PRIME);
  }
  return `${bytes.length}:${first}:${second}`;
}
