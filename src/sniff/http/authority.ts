/**
 * Hosts with or without a port: `example.com:80`. Pure.
 * @module
 */
import { canonicalize } from "../../names/canonical.ts";

const COLON = 0x3a;

/**
 * Writes the name of the host `bytes[start, end)` to `to`.
 *
 * @returns its length; 0 for an address, or what is no host
 */
export function readHost(bytes: Uint8Array, start: number, end: number, to: Uint8Array): number {
  let colon = start;
  while (colon < end && bytes[colon] !== COLON) colon++;
  for (let at = colon + 1; at < end; at++) {
    if (bytes[at] < 0x30 || bytes[at] > 0x39) return 0;
  }
  return canonicalize(bytes, start, colon, to);
}
