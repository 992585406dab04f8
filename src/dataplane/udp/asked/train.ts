/**
 * Trains: datagrams that the sender's kernel has joined to one packet (UDP_SEGMENT), on a link that never cut
 * it: a virtual one. The copy of such a packet does not tell where one ends. Pure.
 * @module
 */
import { hasPartialChecksum } from "../../asking/packet/checksums.ts";
import type { HeldPacket } from "../../asking/question.ts";
import { isWhole, USUAL_MTU } from "./whole.ts";

/**
 * Tells whether a packet holds several datagrams. A large IPv4 packet that nobody may cut is one; and of IPv6
 * one whose checksum is still to be made, by whoever cuts it. Those that came in fragments are neither.
 */
export function isTrain(packet: HeldPacket): boolean {
  const { bytes, offset, length } = packet;
  if (length <= USUAL_MTU) return false;
  return bytes[offset] >> 4 === 4 ? isWhole(packet) : hasPartialChecksum(packet);
}
