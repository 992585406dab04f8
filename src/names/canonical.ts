/**
 * The one form in which names are compared: A-labels in lower case, without the final dot. Text of the
 * config, lines of lists and bytes of clients all come here, and nowhere else. Pure.
 *
 * Letters, digits, `-` and `_` make a label of at most 63 bytes, labels make a name of at most 253. An
 * address is no name. As for URL, neither is anything whose last label would be read as a number; that
 * covers all spellings of IPv4, `127.1` and `0x7f000001` too. The last label has a letter.
 * @module
 */

/** Bytes of the longest name. */
export const MAX_NAME_LENGTH = 253;
/** Bytes of the longest label. */
export const MAX_LABEL_LENGTH = 63;

const DOT = 0x2e;
const DIGIT_ZERO = 0x30;
const LETTER_A = 0x61;
const LETTER_F = 0x66;
const LETTER_X = 0x78;

/** By byte: the byte in the canonical form; 0 if a name may not have it. */
const CANONICAL = makeCanonical();

function makeCanonical(): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of "abcdefghijklmnopqrstuvwxyz0123456789-_.") {
    table[character.charCodeAt(0)] = character.charCodeAt(0);
    table[character.toUpperCase().charCodeAt(0)] = character.charCodeAt(0);
  }
  return table;
}

/**
 * Writes the canonical form of the name in `from`, `start` to `end`, to the beginning of `into`, which may be
 * the same memory. Returns its length, 0 if that is no name; `into` is of no use then. Allocates nothing.
 */
export function canonicalize(from: Uint8Array, start: number, end: number, into: Uint8Array): number {
  if (end > start && from[end - 1] === DOT) end--;
  const length = end - start;
  if (length < 1 || length > MAX_NAME_LENGTH) return 0;
  let label = 0;
  let lettered = false;
  for (let index = 0; index < length; index++) {
    const byte = CANONICAL[from[start + index]];
    if (byte === DOT) {
      if (label === 0 || label > MAX_LABEL_LENGTH) return 0;
      label = 0;
      lettered = false;
    } else {
      if (byte === 0) return 0;
      if (byte >= LETTER_A) lettered = true;
      label++;
    }
    into[index] = byte;
  }
  if (label === 0 || label > MAX_LABEL_LENGTH || !lettered) return 0;
  return isHexadecimal(into, length - label, length) ? 0 : length;
}

/** Tells whether a label is `0x` and hexadecimal digits, or `0x` alone. */
function isHexadecimal(name: Uint8Array, start: number, end: number): boolean {
  if (name[start] !== DIGIT_ZERO || name[start + 1] !== LETTER_X) return false;
  for (let index = start + 2; index < end; index++) {
    const byte = name[index];
    const isDigit = byte >= DIGIT_ZERO && byte < DIGIT_ZERO + 10;
    if (!isDigit && (byte < LETTER_A || byte > LETTER_F)) return false;
  }
  return true;
}

const ENCODER = new TextEncoder();
const NON_ASCII = /\P{ASCII}/u;
/** ASCII beside which URL may see international characters: nothing that would mean something to it. */
const HOST_ONLY = /^[-_.a-z0-9\P{ASCII}]*$/iu;

/**
 * The canonical form of a name as people write it: `Bücher.example.` is `xn--bcher-kva.example`. `undefined`
 * if that is no name. International characters are mapped as URL does (UTS 46); an A-label of a name in
 * ASCII is taken as it is, valid or not.
 */
export function canonicalName(text: string): string | undefined {
  const ascii = NON_ASCII.test(text) ? toAscii(text) : text;
  if (ascii === undefined || ascii.length > MAX_NAME_LENGTH + 1) return undefined;
  const bytes = ENCODER.encode(ascii);
  const length = canonicalize(bytes, 0, bytes.length, bytes);
  return length === 0 ? undefined : String.fromCharCode(...bytes.subarray(0, length));
}

function toAscii(text: string): string | undefined {
  return HOST_ONLY.test(text) ? URL.parse(`http://${text}/`)?.hostname : undefined;
}
