/**
 * Trains: datagrams that the sender's kernel has joined to one packet (UDP_SEGMENT), on a link that never cut
 * it: a virtual one. The copy of such a packet does not tell where one ends. Pure.
 * @module
 */
import type { HeldPacket } from "../../asking/question.ts";
import { isWhole } from "./whole.ts";

/** The largest packet of Ethernet. */
const USUAL_MTU = 1500;
const IPV4_SOURCE = 12;
const IPV6_SOURCE = 8;
const CHECKSUM = 6;
const UDP = 17;

/**
 * Tells whether a packet holds several datagrams. A large IPv4 packet that nobody may cut is one; and of IPv6
 * one whose checksum is still to be made, by whoever cuts it. Those that came in fragments are neither.
 */
export function isTrain(packet: HeldPacket): boolean {
  const { bytes, offset, length } = packet;
  if (length <= USUAL_MTU) return false;
  return bytes[offset] >> 4 === 4 ? isWhole(packet) : hasPartialChecksum(packet);
}

/** Tells whether the checksum covers the pseudo header alone (CHECKSUM_PARTIAL). */
function hasPartialChecksum({ bytes, offset, length, header }: HeldPacket): boolean {
  const isIpv4 = bytes[offset] >> 4 === 4;
  const first = offset + (isIpv4 ? IPV4_SOURCE : IPV6_SOURCE);
  let sum = UDP + (length - header);
  for (let at = first; at < first + (isIpv4 ? 8 : 32); at += 2) sum += (bytes[at] << 8) | bytes[at + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  const checksum = offset + header + CHECKSUM;
  return ((bytes[checksum] << 8) | bytes[checksum + 1]) === sum;
}
