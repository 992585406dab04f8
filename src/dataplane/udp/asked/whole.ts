/**
 * Datagrams that no router may cut into fragments. Pure.
 * @module
 */
import { VERDICT_TTL } from "../../../constants.ts";
import type { HeldPacket } from "../../asking/question.ts";

/** The byte of an IPv4 header that has the bit "don't fragment". */
const FLAGS_AT = 6;
const DONT_FRAGMENT = 0x40;
/** The MTU of Ethernet. A larger packet of IPv6 was joined from fragments before it asked. */
export const USUAL_MTU = 1500;
/** The data of a datagram of IPv6 that fits into every link: 1280 bytes with both headers. */
const ALWAYS_FITS = 1232;

/** Tells whether no router may cut the packet: of IPv6 none ever, but what came in fragments leaves so. */
export function isWhole({ bytes, offset, length }: HeldPacket): boolean {
  if (bytes[offset] >> 4 === 4) return (bytes[offset + FLAGS_AT] & DONT_FRAGMENT) !== 0;
  return length <= USUAL_MTU;
}

/**
 * Tells whether a datagram of IPv6 that has asked may be cut: if it came in fragments conntrack has joined
 * it, and nothing tells. One that came whole and is too large for the way out has not asked: the kernel has
 * refused it on the forward path.
 */
export function mayBeJoined(hopLimit: number, length: number): boolean {
  return hopLimit === VERDICT_TTL.accept && length > ALWAYS_FITS;
}
