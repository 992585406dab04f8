/**
 * Bytes of which only some bits are known. Pure.
 * @module
 */

/** A value; a bit of `known` that is 0 says that the same bit of `bytes` could be either. */
export interface PartialBytes {
  readonly bytes: Uint8Array;
  readonly known: Uint8Array;
}

/** An answer that may be unknown. */
export type Answer = "yes" | "no" | "unknown";

/** A value that is known whole. */
export function whole(bytes: Uint8Array): PartialBytes {
  return { bytes, known: new Uint8Array(bytes.length).fill(0xff) };
}

/** An address of which the network is known: its first `length` bits. */
export function inNetwork(bytes: Uint8Array, length: number): PartialBytes {
  const known = bytes.map((_, at) => 0xff00 >> Math.max(0, Math.min(8, length - 8 * at)));
  return { bytes, known };
}

/** The value after nf_tables' bitwise: what the mask leaves out is known to be 0. */
export function maskAndFlip(
  { bytes, known }: PartialBytes,
  mask: Uint8Array,
  flip: Uint8Array,
): PartialBytes {
  return {
    bytes: bytes.map((byte, at) => (byte & mask[at]) ^ flip[at]),
    known: known.map((bits, at) => bits | ~mask[at]),
  };
}

/** Tells whether it is this value. */
export function equals({ bytes, known }: PartialBytes, value: Uint8Array): Answer {
  if (value.some((byte, at) => ((byte ^ bytes[at]) & known[at]) !== 0)) return "no";
  return value.every((_, at) => known[at] === 0xff) ? "yes" : "unknown";
}

/** Compares like memcmp(3); undefined where that hangs on a bit that is not known. */
export function order({ bytes, known }: PartialBytes, value: Uint8Array): number | undefined {
  for (let at = 0; at < value.length; at++) {
    if (known[at] !== 0xff) return undefined;
    if (bytes[at] !== value[at]) return bytes[at] - value[at];
  }
  return 0;
}

/** The lowest value that it can be. */
export function lowest({ bytes, known }: PartialBytes): Uint8Array {
  return bytes.map((byte, at) => byte & known[at]);
}

/** The highest value that it can be. */
export function highest({ bytes, known }: PartialBytes): Uint8Array {
  return bytes.map((byte, at) => byte | ~known[at]);
}
