/**
 * Ranges of addresses as prefixes, which is what `-s` and `-d` take. Pure.
 * @module
 */
import { formatPrefix } from "../../../net/ip.ts";
import type { KeyRange } from "../../../netlink/nft/sets/interval.ts";

/** The fewest prefixes that hold exactly the addresses of the range: `10.0.0.0/8`. */
export function rangePrefixes({ from, to }: KeyRange): string[] {
  const family = from.length === 4 ? "ipv4" : "ipv6";
  const bits = from.length * 8;
  const last = toNumber(to);
  const prefixes: string[] = [];
  for (let first = toNumber(from); first <= last;) {
    let length = bits;
    let end = first;
    for (let size = 2n; length > 0 && first % size === 0n && first + size - 1n <= last; size *= 2n) {
      length--;
      end = first + size - 1n;
    }
    prefixes.push(formatPrefix({ address: { family, bytes: toBytes(first, from.length) }, length }));
    first = end + 1n;
  }
  return prefixes;
}

function toNumber(bytes: Uint8Array): bigint {
  return bytes.reduce((value, byte) => value << 8n | BigInt(byte), 0n);
}

function toBytes(value: bigint, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => Number(value >> BigInt(8 * (length - 1 - i)) & 0xffn));
}
