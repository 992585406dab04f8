/**
 * Neighbours of the router: hardware addresses of those on its links. The codec is pure.
 * @module
 */
import { hexBytes } from "../net/hex.ts";
import type { IpAddress } from "../net/ip.ts";
import type { NetlinkConnection } from "./connection.ts";
import { addressOf, familyOf, readRouteBody, routeRequest } from "./route/message.ts";
import { LITTLE_ENDIAN } from "./attribute.ts";

// linux/rtnetlink.h: message types
const RTM_NEWNEIGH = 28;
const RTM_GETNEIGH = 30;
/** sizeof(struct ndmsg): family (u8) at 0, index (s32) at 4, state (u16) at 8, flags and type (u8 each). */
const HEADER_SIZE = 12;
// linux/neighbour.h
const NDA_DST = 1;
const NDA_LLADDR = 2;
const NUD_INCOMPLETE = 0x01;
const NUD_FAILED = 0x20;
const NUD_NOARP = 0x40;
const MAC_BYTES = 6;

/** A neighbour that has answered once. */
export interface Neighbour {
  readonly address: IpAddress;
  /** `b8:27:eb:01:02:03`. */
  readonly mac: string;
}

/** Reads the body of RTM_NEWNEIGH; undefined: it tells of no hardware address of Ethernet. */
export function decodeNeighbour(body: Uint8Array): Neighbour | undefined {
  const { structure, attributes } = readRouteBody(body, HEADER_SIZE);
  const state = structure.getUint16(8, LITTLE_ENDIAN);
  const address = attributes.bytes(NDA_DST);
  const mac = attributes.bytes(NDA_LLADDR);
  if (familyOf(structure.getUint8(0)) === undefined || address === undefined) return undefined;
  if ((state & (NUD_INCOMPLETE | NUD_FAILED | NUD_NOARP)) !== 0 || mac?.length !== MAC_BYTES) {
    return undefined;
  }
  return {
    address: addressOf(address),
    mac: hexBytes(mac, ":"),
  };
}

/** Lists the neighbours on all links. Equivalent to: ip neighbour show */
export function listNeighbours(connection: NetlinkConnection): Neighbour[] {
  return connection.dump(routeRequest(RTM_GETNEIGH, new Uint8Array(HEADER_SIZE)), {
    operation: "list neighbours",
    object: "",
  })
    .filter(({ type }) => type === RTM_NEWNEIGH)
    .flatMap(({ body }) => decodeNeighbour(body) ?? []);
}
