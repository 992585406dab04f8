/**
 * Numbers in hexadecimal, as nft, iptables and ip print marks, and bytes. Pure.
 * @module
 */

/** Writes `0x3`. */
export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** Writes two digits for each byte, without `0x`. */
export function hexBytes(bytes: Uint8Array, separator = ""): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(separator);
}
