/**
 * Phrases about a packet as it came: interfaces, families, addresses. Pure.
 * @module
 */
import { type RouteType, routeTypeNumber } from "../../route/route_type.ts";
import { REGISTER_1 } from "../data.ts";
import type { NftExpression } from "../expression.ts";
import { hostKey, hostKey16, ifnameKey } from "../sets/set_type.ts";
import { compare, familyKey, loadMeta, lookUp, type SetReference, update } from "./parts.ts";

// linux/if_arp.h; linux/if_ether.h: struct ethhdr
const ARPHRD_ETHER = 1;
const HARDWARE_SOURCE = { offset: 6, length: 6 } as const;
/** Places of the addresses in a header (linux/ip.h: struct iphdr; linux/ipv6.h: struct ipv6hdr). */
export const ADDRESS_PLACES = {
  ipv4: { source: { offset: 12, length: 4 }, destination: { offset: 16, length: 4 } },
  ipv6: { source: { offset: 8, length: 16 }, destination: { offset: 24, length: 16 } },
} as const;

const TTL_OFFSETS = { ipv4: 8, ipv6: 7 } as const;

/** The key of an address type in a set of type fib_addrtype. */
export function addressTypeKey(type: RouteType): Uint8Array {
  return hostKey(routeTypeNumber(type));
}

/** Asks for one name or for a set of them. */
function anInterface(
  key: "iifname" | "oifname",
  interfaces: string | SetReference,
  negate: boolean,
): NftExpression[] {
  const match = typeof interfaces === "string"
    ? compare(negate ? "neq" : "eq", ifnameKey(interfaces))
    : lookUp(interfaces, negate);
  return [loadMeta(key), match];
}

/** `iifname "lan0"`, or `iifname @lan`; with `negate`, `!=`. */
export function inputInterface(
  interfaces: string | SetReference,
  options: { negate?: boolean } = {},
): NftExpression[] {
  return anInterface("iifname", interfaces, options.negate ?? false);
}

/** `oifname "lan0"`, or `oifname @lan`; with `negate`, `!=`. */
export function outputInterface(
  interfaces: string | SetReference,
  options: { negate?: boolean } = {},
): NftExpression[] {
  return anInterface("oifname", interfaces, options.negate ?? false);
}

/** `meta nfproto ipv4`, or with a set of type nf_proto `meta nfproto @running`; with `negate`, `!=`. */
export function networkFamily(
  family: "ipv4" | "ipv6" | SetReference,
  { negate = false }: { negate?: boolean } = {},
): NftExpression[] {
  const match = typeof family === "string"
    ? compare(negate ? "neq" : "eq", familyKey(family))
    : lookUp(family, negate);
  return [loadMeta("nfproto"), match];
}

/** `update @running { meta nfproto }`. */
export function updateFamily(set: string): NftExpression[] {
  return [loadMeta("nfproto"), update(set)];
}

/** `meta length 68`: bytes of the packet, with its IP header. */
export function packetLength(bytes: number): NftExpression[] {
  return [loadMeta("length"), compare("eq", hostKey(bytes))];
}

/** `ip ttl 1`, `ip6 hoplimit 1`; in an inet table after {@linkcode networkFamily}. */
export function hasTtl(ttl: number, { family }: { family: "ipv4" | "ipv6" }): NftExpression[] {
  return [
    { kind: "payload", base: "network", offset: TTL_OFFSETS[family], length: 1, register: REGISTER_1 },
    compare("eq", Uint8Array.of(ttl)),
  ];
}

/** `ip daddr @nets`, `ip6 saddr @nets`; in an inet table after {@linkcode networkFamily}. */
export function address(
  side: "source" | "destination",
  options: { family: "ipv4" | "ipv6"; set: SetReference; negate?: boolean },
): NftExpression[] {
  return [
    { kind: "payload", base: "network", ...ADDRESS_PLACES[options.family][side], register: REGISTER_1 },
    lookUp(options.set, options.negate ?? false),
  ];
}

/** `ether saddr @macs`: packets from Ethernet alone. */
export function hardwareSource(set: SetReference): NftExpression[] {
  return [
    loadMeta("iiftype"),
    compare("eq", hostKey16(ARPHRD_ETHER)),
    { kind: "payload", base: "link", ...HARDWARE_SOURCE, register: REGISTER_1 },
    lookUp(set, false),
  ];
}

function addressType(
  flag: "saddr" | "daddr",
  types: RouteType | SetReference,
  negate: boolean,
): NftExpression[] {
  const match = typeof types === "string"
    ? compare(negate ? "neq" : "eq", addressTypeKey(types))
    : lookUp(types, negate);
  return [{ kind: "fib", flags: [flag], result: "type", register: REGISTER_1 }, match];
}

/**
 * `fib daddr type local`, or with a set of type fib_addrtype `fib daddr type { local, broadcast }`; with
 * `negate`, `!=`.
 */
export function destinationType(
  types: RouteType | SetReference,
  options: { negate?: boolean } = {},
): NftExpression[] {
  return addressType("daddr", types, options.negate ?? false);
}

/**
 * `fib saddr type local`, or with a set of type fib_addrtype `fib saddr type { local, broadcast }`; with
 * `negate`, `!=`.
 */
export function sourceType(
  types: RouteType | SetReference,
  options: { negate?: boolean } = {},
): NftExpression[] {
  return addressType("saddr", types, options.negate ?? false);
}
