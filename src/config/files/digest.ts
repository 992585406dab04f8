/**
 * A short stand-in for the bytes of a list: equal lists have equal ones, others hardly ever. Pure.
 * @module
 */

const [FIRST_BASIS, FIRST_PRIME] = [0x811c9dc5 | 0, 0x01000193];
const [SECOND_BASIS, SECOND_PRIME] = [0x9e3779b1 | 0, 0x85ebca6b | 0];

/**
 * FNV-1a, and the same with other numbers beside it, over words: 64 bits, and the length. Byte by byte it
 * takes as long as reading the names does.
 */
export function digest(bytes: Uint8Array): string {
  const { length } = bytes;
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const words = new Int32Array(aligned.buffer, aligned.byteOffset, length >> 2);
  const rest = new Int32Array(aligned.subarray(words.byteLength));
  let first = FIRST_BASIS;
  let second = SECOND_BASIS;
  for (const part of [words, rest]) {
    for (let i = 0; i < part.length; i++) {
      first = Math.imul(first ^ part[i], FIRST_PRIME);
      second = Math.imul(second ^ part[i], SECOND_PRIME);
      // Products carry upwards only: what differs in the highest bits has to reach the lowest.
      first ^= first >>> 15;
      second ^= second >>> 13;
    }
  }
  return `${length}:${first}:${second}`;
}
