/**
 * QUIC's integers of variable length (RFC 9000, 16). Pure.
 * @module
 */

/** Bytes of the integer that begins with this byte. */
export function varintSize(first: number): number {
  return 1 << (first >> 6);
}

/**
 * Reads the integer at `at`; -1 where it does not end before `end`. Above 2^53 it is only roughly right, and
 * far above every limit.
 */
export function readVarint(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return -1;
  const size = varintSize(bytes[at]);
  if (at + size > end) return -1;
  let value = bytes[at] & 0x3f;
  for (let i = 1; i < size; i++) value = value * 256 + bytes[at + i];
  return value;
}
