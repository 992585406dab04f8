/**
 * The common part of all rtnetlink messages. Pure.
 * @module
 */
import { FAMILIES, FAMILY_NUMBERS } from "../../net/families.ts";
import type { Family, IpAddress, Prefix } from "../../net/ip.ts";
import { AttributeMap } from "../attribute.ts";
import type { NetlinkRequest } from "../message.ts";

// linux/rtnetlink.h: message types
export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;
export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
export const RTM_GETADDR = 22;
export const RTM_NEWROUTE = 24;
export const RTM_DELROUTE = 25;
export const RTM_GETROUTE = 26;
export const RTM_NEWRULE = 32;
export const RTM_DELRULE = 33;
export const RTM_GETRULE = 34;

/** AF_INET and AF_INET6; 0, AF_UNSPEC, for both. */
export function familyNumber(family: Family | undefined): number {
  return family === undefined ? 0 : FAMILY_NUMBERS[family];
}

/** The family of a number; undefined for others (AF_MPLS, multicast routing). */
export function familyOf(number: number): Family | undefined {
  return FAMILIES.find((family) => FAMILY_NUMBERS[family] === number);
}

/** An address from its bytes. Throws a RangeError where they are not as many as an address has. */
export function addressOf(bytes: Uint8Array): IpAddress {
  if (bytes.length !== 4 && bytes.length !== 16) {
    throw new RangeError(`Cannot decode an address of ${bytes.length} bytes`);
  }
  return { family: bytes.length === 4 ? "ipv4" : "ipv6", bytes: bytes.slice() };
}

/** A prefix from its address and its length; undefined where there is no address. */
export function readPrefix(bytes: Uint8Array | undefined, length: number): Prefix | undefined {
  return bytes === undefined ? undefined : { address: addressOf(bytes), length };
}

/** A request: the family's structure and the attributes together. */
export function routeRequest(type: number, body: Uint8Array, flags = 0): NetlinkRequest {
  return { type, flags, body };
}

/** The structure and the attributes of a message. Throws a RangeError where the structure is not whole. */
export function readRouteBody(
  body: Uint8Array,
  structureSize: number,
): { structure: DataView; attributes: AttributeMap } {
  if (body.length < structureSize) {
    throw new RangeError(
      `Cannot decode rtnetlink message: it has ${body.length} bytes, not ${structureSize}`,
    );
  }
  return {
    structure: new DataView(body.buffer, body.byteOffset, structureSize),
    attributes: new AttributeMap(body.subarray(structureSize)),
  };
}

/** The properties that have a value. */
export function withoutAbsent<T extends object>(all: { [K in keyof T]-?: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as T;
}
