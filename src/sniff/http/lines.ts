/**
 * Lines of an HTTP head. Pure.
 * @module
 */

/** The line does not end within the bytes that are there. */
export const UNENDED = 0;
/** No server takes the line. */
export const MALFORMED = -1;

const LF = 0x0a;
const CR = 0x0d;

/** Finds where the line after this one begins: behind LF, as many clients write it, or CR LF. */
export function nextLine(bytes: Uint8Array, start: number, length: number): number {
  for (let at = start; at < length; at++) {
    const byte = bytes[at];
    if (byte === LF) return at + 1;
    if (byte === 0 || byte === CR && at + 1 < length && bytes[at + 1] !== LF) return MALFORMED;
  }
  return UNENDED;
}

/** Finds the end of a line's text, by the begin of the line after it. */
export function textEnd(bytes: Uint8Array, start: number, next: number): number {
  const end = next - 1;
  return end > start && bytes[end - 1] === CR ? end - 1 : end;
}
