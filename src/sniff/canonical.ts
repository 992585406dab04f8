/**
 * Names on the wire in the one form that lists are compared with. Pure.
 * @module
 */

const LONGEST_NAME = 253;
const LONGEST_LABEL = 63;

const DOT = 0x2e;
const HYPHEN = 0x2d;
const UNDERSCORE = 0x5f;
const X = 0x78;

/**
 * Writes the canonical form of `from[start, end)` to `into`: lower case, one dot at the end taken off. A name
 * has letters, digits, `-` and `_` alone, in labels.
 *
 * @returns its length; 0 if that is no name, or is an address
 */
export function canonicalize(from: Uint8Array, start: number, end: number, into: Uint8Array): number {
  if (end > start && from[end - 1] === DOT) end--;
  const length = end - start;
  if (length < 1 || length > LONGEST_NAME) return 0;
  let label = 0;
  for (let i = 0; i < length; i++) {
    const byte = from[start + i];
    if (byte === DOT) {
      if (i === label || i - label > LONGEST_LABEL) return 0;
      label = i + 1;
      into[i] = DOT;
    } else {
      const canonical = canonicalByte(byte);
      if (canonical === 0) return 0;
      into[i] = canonical;
    }
  }
  if (label === length || length - label > LONGEST_LABEL) return 0;
  return isNumber(into, label, length) ? 0 : length;
}

function canonicalByte(byte: number): number {
  if (byte >= 0x41 && byte <= 0x5a) return byte + 0x20;
  const allowed = byte >= 0x61 && byte <= 0x7a || isDigit(byte) || byte === HYPHEN || byte === UNDERSCORE;
  return allowed ? byte : 0;
}

/** Tells whether the last label makes an IPv4 address of the name, as in URLs: `1.2.3.4`, `0x7f.1`. */
function isNumber(name: Uint8Array, start: number, end: number): boolean {
  const hexadecimal = end - start >= 2 && name[start] === 0x30 && name[start + 1] === X;
  for (let i = hexadecimal ? start + 2 : start; i < end; i++) {
    if (!isDigit(name[i]) && !(hexadecimal && name[i] >= 0x61 && name[i] <= 0x66)) return false;
  }
  return true;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
