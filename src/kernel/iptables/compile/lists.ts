/**
 * Lists of the plan, for which nf_tables has sets and iptables has none, as alternatives. Pure.
 * @module
 */
import type { PortRange } from "../../../config/types.ts";
import { formatPrefix } from "../../../net/ip.ts";
import type { KeyRange } from "../../../net/ranges.ts";
import type { PlannedSet } from "../../plan/rules/set.ts";

/** Ports in one `--dports`, XT_MULTI_PORTS in linux/netfilter/xt_multiport.h; a range takes two places. */
const PORTS_PER_RULE = 15;

/** Finds the elements of a set of the plan. */
export function elementsOf<T extends keyof ElementsByType>(
  sets: readonly PlannedSet[],
  name: string,
  type: T,
): ElementsByType[T] {
  const set = sets.find((set) => set.name === name);
  if (set?.type !== type) throw new TypeError(`The plan has no set ${name} of type ${type}`);
  return set.elements as ElementsByType[T];
}

/** The elements of each type of set that is not filled by packets. */
export interface ElementsByType {
  ifname: readonly string[];
  ether_addr: readonly string[];
  inet_service: readonly PortRange[];
  ipv4_addr: readonly KeyRange[];
  ipv6_addr: readonly KeyRange[];
}

/** Divides ports into lists for one rule each: `80,443,8000:8100`. */
export function portLists(ranges: readonly PortRange[]): string[] {
  const lists: string[][] = [];
  let room = 0;
  for (const { first, last } of ranges) {
    const size = first === last ? 1 : 2;
    if (size > room) {
      lists.push([]);
      room = PORTS_PER_RULE;
    }
    lists.at(-1)!.push(first === last ? `${first}` : `${first}:${last}`);
    room -= size;
  }
  return lists.map((ports) => ports.join(","));
}

/** Finds the fewest prefixes that hold exactly the addresses of the range: `10.0.0.0/8`. */
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
