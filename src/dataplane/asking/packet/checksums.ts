/**
 * Checksums of packets that are sent once more: those of the kernel's copy are often not complete. Pure, and
 * without allocation.
 * @module
 */
import type { HeldPacket } from "../question.ts";

const TCP = 6;
const IPV4_SOURCE = 12;
const IPV6_SOURCE = 8;
const TCP_CHECKSUM = 16;
const UDP_CHECKSUM = 6;

/** Writes the TCP or UDP checksum. That of the IPv4 header is the kernel's. */
export function mendChecksum({ protocol, bytes, offset, length, header }: HeldPacket): void {
  const isIpv4 = bytes[offset] >> 4 === 4;
  const transport = offset + header;
  const end = offset + length;
  const at = transport + (protocol === TCP ? TCP_CHECKSUM : UDP_CHECKSUM);
  bytes[at] = bytes[at + 1] = 0;
  const addresses = offset + (isIpv4 ? IPV4_SOURCE : IPV6_SOURCE);
  let sum = protocol + (end - transport);
  sum += sumOf(bytes, addresses, addresses + (isIpv4 ? 8 : 32));
  sum += sumOf(bytes, transport, end);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  const checksum = (~sum & 0xffff) || (protocol === TCP ? 0 : 0xffff); // UDP: 0 means that there is none
  bytes[at] = checksum >> 8;
  bytes[at + 1] = checksum & 0xff;
}

/** Sums 16-bit words in network order; at most 64 KiB, so that it is exact. */
function sumOf(bytes: Uint8Array, from: number, end: number): number {
  let sum = 0;
  let at = from;
  for (; at + 1 < end; at += 2) sum += (bytes[at] << 8) | bytes[at + 1];
  return at < end ? sum + (bytes[at] << 8) : sum;
}
