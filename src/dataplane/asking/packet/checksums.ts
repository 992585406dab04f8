/**
 * Checksums of packets that are sent once more: those of the kernel's copy are often not complete. Pure, and
 * without allocation.
 * @module
 */
import { IPPROTO_TCP } from "../../../../ffi/consts.ts";
import { addressAt, addressLength } from "../../../../ffi/sockets/sockaddr.ts";
import type { HeldPacket, RoutedPacket } from "../question.ts";

const IPV4_SOURCE = 12;
const IPV6_SOURCE = 8;
const TCP_CHECKSUM = 16;
const UDP_CHECKSUM = 6;

/** Writes the TCP or UDP checksum. That of the IPv4 header is the kernel's. */
export function mendChecksum(packet: HeldPacket): void {
  const { protocol, bytes, offset, length, header } = packet;
  const at = placeOf(packet);
  bytes[at] = bytes[at + 1] = 0;
  const sum = fold(sumOfPseudoHeader(packet) + sumOf(bytes, offset + header, offset + length));
  // UDP: 0 means that there is none.
  const checksum = (~sum & 0xffff) || (protocol === IPPROTO_TCP ? 0 : 0xffff);
  bytes[at] = checksum >> 8;
  bytes[at + 1] = checksum & 0xff;
}

/**
 * Tells whether the checksum covers the pseudo header alone (CHECKSUM_PARTIAL): with the addresses that the
 * packet has, or with those that the router has given it.
 */
export function hasPartialChecksum(packet: RoutedPacket): boolean {
  const { bytes, answer } = packet;
  const at = placeOf(packet);
  const checksum = (bytes[at] << 8) | bytes[at + 1];
  if (checksum === fold(sumOfPseudoHeader(packet))) return true;
  const { source, destination } = answer;
  const address = addressAt(source[0]);
  const end = address + addressLength(source[0]);
  const addresses = sumOf(source, address, end) + sumOf(destination, address, end);
  return checksum === fold(sumOfRest(packet) + addresses);
}

function placeOf({ protocol, offset, header }: HeldPacket): number {
  return offset + header + (protocol === IPPROTO_TCP ? TCP_CHECKSUM : UDP_CHECKSUM);
}

function sumOfPseudoHeader(packet: HeldPacket): number {
  const { bytes, offset } = packet;
  const isIpv4 = bytes[offset] >> 4 === 4;
  const addresses = offset + (isIpv4 ? IPV4_SOURCE : IPV6_SOURCE);
  return sumOfRest(packet) + sumOf(bytes, addresses, addresses + (isIpv4 ? 8 : 32));
}

function sumOfRest({ protocol, length, header }: HeldPacket): number {
  return protocol + (length - header);
}

function fold(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}

/** Sums 16-bit words in network order; at most 64 KiB, so that it is exact. */
function sumOf(bytes: Uint8Array, from: number, end: number): number {
  let sum = 0;
  let at = from;
  for (; at + 1 < end; at += 2) sum += (bytes[at] << 8) | bytes[at + 1];
  return at < end ? sum + (bytes[at] << 8) : sum;
}
