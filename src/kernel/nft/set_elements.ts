/**
 * The elements of a named set: as nf_tables has them, and as text. Pure.
 * @module
 */
import { hexBytes } from "../../net/hex.ts";
import { formatIp } from "../../net/ip.ts";
import type { NftElement } from "../../netlink/nft/sets/element.ts";
import {
  elementRanges,
  intervalElements,
  type KeyRange,
  prefixLength,
} from "../../netlink/nft/sets/interval.ts";
import { etherKey, ifnameKey, portKey } from "../../netlink/nft/sets/set_type.ts";
import type { NftSet } from "../../netlink/nft/sets/set.ts";
import type { MemorySet, PlannedSet } from "../plan/rules/set.ts";

const ADDRESS_OF_FLOW = { ipv4_flow: "ipv4_addr", ipv6_flow: "ipv6_addr" } as const;

type SetProperties = Pick<NftSet, "type" | "values" | "flags" | "size" | "timeoutMs">;

/** Describes the set itself, without its place and its elements. */
export function setProperties(set: PlannedSet): SetProperties {
  switch (set.type) {
    case "ifname":
    case "ether_addr":
      return { type: [set.type] };
    case "inet_service":
    case "ipv4_addr":
    case "ipv6_addr":
      return { type: [set.type], flags: ["interval"] };
    case "nf_proto":
      return { type: ["nf_proto"], ...memoryProperties(set) };
    case "ipv4_flow":
    case "ipv6_flow": {
      const address = ADDRESS_OF_FLOW[set.type];
      return { type: [address, "inet_service", address, "inet_service"], ...memoryProperties(set) };
    }
    default:
      return set satisfies never;
  }
}

function memoryProperties(
  { size, timeoutSeconds, values }: MemorySet,
): Pick<NftSet, "values" | "flags" | "size" | "timeoutMs"> {
  return {
    ...(values === undefined ? {} : { values: [values] }),
    flags: ["timeout", "dynamic"],
    size,
    timeoutMs: timeoutSeconds * 1000,
  };
}

/** Tells whether packets fill the set. */
export function isMemory(set: PlannedSet): set is Extract<PlannedSet, MemorySet> {
  return set.type === "ipv4_flow" || set.type === "ipv6_flow" || set.type === "nf_proto";
}

/** Makes the elements that are sent to the kernel. */
export function setElements(set: PlannedSet): NftElement[] {
  switch (set.type) {
    case "ifname":
      return set.elements.map((name) => ({ key: ifnameKey(name) }));
    case "ether_addr":
      return set.elements.map((address) => ({ key: etherKey(address) }));
    case "inet_service":
      return intervalElements(set.elements.map(portRange));
    case "ipv4_flow":
    case "ipv6_flow":
    case "nf_proto":
      return [];
    case "ipv4_addr":
    case "ipv6_addr":
      return intervalElements(set.elements);
    default:
      return set satisfies never;
  }
}

function portRange({ first, last }: { first: number; last: number }): KeyRange {
  return { from: portKey(first), to: portKey(last) };
}

/** Renders each element in nft's words, in the order of the plan: `8000-8100`, `10.0.0.0/8`. */
export function elementTexts(set: PlannedSet): string[] {
  switch (set.type) {
    case "ifname":
    case "ether_addr":
      return [...set.elements];
    case "inet_service":
      return set.elements.map((range) => rangeText(set.type, portRange(range)));
    case "ipv4_flow":
    case "ipv6_flow":
    case "nf_proto":
      return [];
    case "ipv4_addr":
    case "ipv6_addr":
      return set.elements.map((range) => rangeText(set.type, range));
    default:
      return set satisfies never;
  }
}

/** Renders the elements of a set of the kernel in the same words. */
export function installedTexts(type: PlannedSet["type"], elements: readonly NftElement[]): string[] {
  switch (type) {
    case "ifname":
      return elements.map(({ key }) => new TextDecoder().decode(key).replace(/\0.*$/s, ""));
    case "ether_addr":
      return elements.map(({ key }) => hexBytes(key, ":"));
    case "ipv4_flow":
    case "ipv6_flow":
    case "nf_proto":
      return [];
    case "inet_service":
    case "ipv4_addr":
    case "ipv6_addr":
      return elementRanges(elements).map((range) => rangeText(type, range));
    default:
      return type satisfies never;
  }
}

function rangeText(type: PlannedSet["type"], range: KeyRange): string {
  const [first, last] = [range.from, range.to].map((key) => keyText(type, key));
  if (first === last) return first;
  const length = type === "inet_service" ? undefined : prefixLength(range);
  return length === undefined ? `${first}-${last}` : `${first}/${length}`;
}

function keyText(type: PlannedSet["type"], key: Uint8Array): string {
  if (type === "inet_service") return String(key[0] * 256 + key[1]);
  return formatIp({ family: type === "ipv4_addr" ? "ipv4" : "ipv6", bytes: key });
}
