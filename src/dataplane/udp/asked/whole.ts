/**
 * Datagrams that no router may cut into fragments. Pure.
 * @module
 */
import type { HeldPacket } from "../../asking/question.ts";

/** The byte of an IPv4 header that has the bit "don't fragment". */
const FLAGS_AT = 6;
const DONT_FRAGMENT = 0x40;
/** The MTU of Ethernet. A larger packet of IPv6 was joined from fragments before it asked. */
export const USUAL_MTU = 1500;

/** Tells whether no router may cut the packet: of IPv6 none ever, but what came in fragments leaves so. */
export function isWhole({ bytes, offset, length }: HeldPacket): boolean {
  if (bytes[offset] >> 4 === 4) return (bytes[offset + FLAGS_AT] & DONT_FRAGMENT) !== 0;
  return length <= USUAL_MTU;
}
