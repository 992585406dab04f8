/**
 * Words in the bytes of a list. Pure.
 * @module
 */

const SPACE = 0x20;
const TAB = 0x09;
const RETURN = 0x0d;
const ENCODER = new TextEncoder();

/** A word of a format, to compare with. */
export function wordOf(text: string): Uint8Array {
  return ENCODER.encode(text);
}

/** Tells whether a byte stands between words. */
export function isSpace(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === RETURN;
}

/** Tells whether a byte begins a comment, at the beginning of a line or behind a space. */
export function isRemark(byte: number): boolean {
  return byte === 0x23 || byte === 0x3b; // # ;
}

/** Tells whether `start` to `end` begins with a word. */
export function beginsWith(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  if (end - start < word.length) return false;
  for (let index = 0; index < word.length; index++) {
    if (bytes[start + index] !== word[index]) return false;
  }
  return true;
}

/** Tells whether `start` to `end` is a word. */
export function isWord(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  return end - start === word.length && beginsWith(bytes, start, end, word);
}

/** Tells whether `start` to `end` is one of the words. */
export function isOneOf(
  bytes: Uint8Array,
  start: number,
  end: number,
  words: readonly Uint8Array[],
): boolean {
  for (const word of words) {
    if (isWord(bytes, start, end, word)) return true;
  }
  return false;
}

/** The first place from `start` on that has no space, or `end`. */
export function skipSpace(bytes: Uint8Array, start: number, end: number): number {
  while (start < end && isSpace(bytes[start])) start++;
  return start;
}

/** The first place from `start` on that has a space, or `end`. */
export function skipWord(bytes: Uint8Array, start: number, end: number): number {
  while (start < end && !isSpace(bytes[start])) start++;
  return start;
}
