/**
 * The data types of set keys. Pure.
 * @module
 */
import { LITTLE_ENDIAN } from "../../attribute.ts";

/** A type of set keys and map values, in nft's words. */
export type NftDataType =
  | "ifname"
  | "inet_service"
  | "inet_proto"
  | "ipv4_addr"
  | "ipv6_addr"
  | "ether_addr"
  | "mark"
  | "fib_addrtype"
  | "ct_state"
  | "nf_proto";

/**
 * nft's number, the length in bytes, and the byte order (nft's include/datatype.h: 0 none, 1 machine's, 2
 * network).
 */
interface TypeFacts {
  readonly number: number;
  readonly size: number;
  readonly order: 0 | 1 | 2;
}

const TYPES: Readonly<Record<NftDataType, TypeFacts>> = {
  nf_proto: { number: 2, size: 1, order: 1 },
  ipv4_addr: { number: 7, size: 4, order: 2 },
  ipv6_addr: { number: 8, size: 16, order: 2 },
  ether_addr: { number: 9, size: 6, order: 2 },
  inet_proto: { number: 12, size: 1, order: 0 },
  inet_service: { number: 13, size: 2, order: 2 },
  mark: { number: 19, size: 4, order: 1 },
  ct_state: { number: 26, size: 4, order: 1 },
  fib_addrtype: { number: 38, size: 4, order: 1 },
  ifname: { number: 41, size: 16, order: 1 },
};
/** nft's TYPE_BITS: how far each part of a concatenation is shifted. */
const TYPE_BITS = 6;

/** The number that nft gives a type, or a concatenation of types. */
export function typeNumber(types: readonly NftDataType[]): number {
  return types.reduce((number, type) => (number << TYPE_BITS) | TYPES[type].number, 0);
}

/** The types of a number; undefined where one of them is not known here. */
export function typesOf(number: number): readonly NftDataType[] | undefined {
  const names: NftDataType[] = [];
  for (let rest = number; rest > 0; rest >>>= TYPE_BITS) {
    const part = rest & ((1 << TYPE_BITS) - 1);
    const name = (Object.keys(TYPES) as NftDataType[]).find((type) => TYPES[type].number === part);
    if (name === undefined) return undefined;
    names.unshift(name);
  }
  return names.length === 0 ? undefined : names;
}

/** The length of each part, in bytes, without padding. */
export function partSizes(types: readonly NftDataType[]): number[] {
  return types.map((type) => TYPES[type].size);
}

/** The length of a key in bytes. In a concatenation each part is padded to 4 bytes. */
export function keySize(types: readonly NftDataType[]): number {
  if (types.length === 1) return TYPES[types[0]].size;
  return partSizes(types).reduce((sum, size) => sum + ((size + 3) & ~3), 0);
}

/** nft's number of a key's byte order; 0 for a concatenation. */
export function byteOrder(types: readonly NftDataType[]): number {
  return types.length === 1 ? TYPES[types[0]].order : 0;
}

/** An interface name as a key: 16 bytes, padded with zeros. */
export function ifnameKey(name: string): Uint8Array {
  const key = new Uint8Array(16);
  key.set(new TextEncoder().encode(name).subarray(0, 15));
  return key;
}

/** `02:00:5e:10:00:01` as a key. */
export function etherKey(address: string): Uint8Array {
  return Uint8Array.from(address.split(":"), (byte) => parseInt(byte, 16));
}

/** A port, or another 16-bit number in network order. */
export function portKey(port: number): Uint8Array {
  return Uint8Array.of(port >> 8, port & 0xff);
}

/** A 32-bit number in the machine's byte order: marks, address types, conntrack states. */
export function hostKey(value: number): Uint8Array {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, value, LITTLE_ENDIAN);
  return key;
}

/** A 16-bit number in the machine's byte order: interface types. */
export function hostKey16(value: number): Uint8Array {
  return new Uint8Array(Uint16Array.of(value).buffer);
}

/** A key of a concatenation: each part padded to 4 bytes. */
export function concatenatedKey(parts: readonly Uint8Array[]): Uint8Array {
  const key = new Uint8Array(parts.reduce((sum, part) => sum + ((part.length + 3) & ~3), 0));
  let offset = 0;
  for (const part of parts) {
    key.set(part, offset);
    offset += (part.length + 3) & ~3;
  }
  return key;
}
