/**
 * Trains: datagrams that the sender's kernel has joined to one packet (UDP_SEGMENT), on a link that never cut
 * it: a virtual one. The copy of such a packet does not tell where one ends. Pure.
 * @module
 */
import { hasPartialChecksum } from "../../asking/packet/checksums.ts";
import type { RoutedPacket } from "../../asking/question.ts";
import { isWhole, USUAL_MTU } from "./whole.ts";

/**
 * Tells whether a packet may hold several datagrams: a large one of IPv4 that nobody may cut, and one whose
 * checksum is still to be made, by whoever cuts it. Those that came in fragments are neither.
 */
export function isTrain(packet: RoutedPacket): boolean {
  return packet.length > USUAL_MTU && (isWhole(packet) || hasPartialChecksum(packet));
}
