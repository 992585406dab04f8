/**
 * Runs of bytes. Pure.
 * @module
 */

/** Joins parts to one. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Reads each byte as the character of its number. */
export function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
