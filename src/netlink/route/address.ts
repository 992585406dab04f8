/**
 * Addresses of interfaces. The codec is pure.
 * @module
 */
import { type Family, formatPrefix, type Prefix } from "../../net/ip.ts";
import { AttributeWriter, LITTLE_ENDIAN } from "../attribute.ts";
import type { NetlinkConnection } from "../connection.ts";
import { NLM_F_CREATE, NLM_F_EXCL } from "../message.ts";
import {
  addressOf,
  familyNumber,
  familyOf,
  readRouteBody,
  routeRequest,
  RTM_DELADDR,
  RTM_GETADDR,
  RTM_NEWADDR,
} from "./message.ts";

/** sizeof(struct ifaddrmsg): family, prefix length, flags, scope (u8 each), index (u32) at 4. */
const HEADER_SIZE = 8;
// linux/if_addr.h
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_FLAGS = 8;
const IFA_F_NODAD = 2;

/** An address of an interface. */
export interface LinkAddress {
  /** Index of the interface (ifa_index). */
  readonly linkIndex: number;
  /** The address itself (host bits kept) and the length of its network. */
  readonly prefix: Prefix;
  /** Of a point-to-point link: the other end. */
  readonly peer?: Prefix;
  /** IPv6: usable at once, without duplicate address detection. */
  readonly noDad?: boolean;
}

/** The body of RTM_NEWADDR and RTM_DELADDR. */
export function encodeAddress(address: LinkAddress): Uint8Array {
  const { prefix, linkIndex } = address;
  const structure = new Uint8Array(HEADER_SIZE);
  structure[0] = familyNumber(prefix.address.family);
  structure[1] = address.peer?.length ?? prefix.length;
  if (address.noDad) structure[2] = IFA_F_NODAD;
  new DataView(structure.buffer).setUint32(4, linkIndex, LITTLE_ENDIAN);
  return new AttributeWriter()
    .structure(structure)
    .bytes(IFA_LOCAL, prefix.address.bytes)
    .bytes(IFA_ADDRESS, (address.peer ?? prefix).address.bytes)
    .finish();
}

/** Reads the body of RTM_NEWADDR. */
export function decodeAddress(body: Uint8Array): LinkAddress | undefined {
  const { structure, attributes } = readRouteBody(body, HEADER_SIZE);
  const address = attributes.bytes(IFA_ADDRESS);
  const local = attributes.bytes(IFA_LOCAL) ?? address;
  if (familyOf(structure.getUint8(0)) === undefined || local === undefined) return undefined;
  const length = structure.getUint8(1);
  const flags = attributes.u32(IFA_FLAGS) ?? structure.getUint8(2);
  const pointToPoint = address !== undefined && address.some((byte, index) => byte !== local[index]);
  return {
    linkIndex: structure.getUint32(4, LITTLE_ENDIAN),
    prefix: { address: addressOf(local), length },
    ...(pointToPoint ? { peer: { address: addressOf(address), length } } : {}),
    ...((flags & IFA_F_NODAD) !== 0 ? { noDad: true } : {}),
  };
}

/** The addresses of all interfaces. Equivalent to: ip address show */
export function listAddresses(connection: NetlinkConnection, family?: Family): LinkAddress[] {
  const header = new Uint8Array(HEADER_SIZE);
  header[0] = familyNumber(family);
  return connection.dump(routeRequest(RTM_GETADDR, header), {
    operation: "list addresses",
    object: family ?? "",
  })
    .filter((message) => message.type === RTM_NEWADDR)
    .flatMap((message) => decodeAddress(message.body) ?? []);
}

/** Gives an interface an address. Equivalent to: ip address add 192.0.2.1/24 dev NAME */
export function addAddress(connection: NetlinkConnection, address: LinkAddress): void {
  connection.execute(routeRequest(RTM_NEWADDR, encodeAddress(address), NLM_F_CREATE | NLM_F_EXCL), {
    operation: "add address",
    object: formatPrefix(address.prefix),
  });
}

/** Takes an address from an interface. Equivalent to: ip address delete 192.0.2.1/24 dev NAME */
export function deleteAddress(connection: NetlinkConnection, address: LinkAddress): void {
  connection.execute(routeRequest(RTM_DELADDR, encodeAddress(address)), {
    operation: "delete address",
    object: formatPrefix(address.prefix),
  });
}
