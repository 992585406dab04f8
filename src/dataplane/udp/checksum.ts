/**
 * The Internet checksum (RFC 1071) of a UDP datagram over IPv4. Pure, and without allocation.
 * @module
 */

/** Protocol 17 in network order. */
const UDP_PROTOCOL = 0x1100;
const UDP_HEADER_SIZE = 8;

/** Memory as bytes and as 32-bit words, and where the data are in it. */
export interface Data {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}

/**
 * The checksum of `length` bytes of data from byte `offset` on, with the pseudo header. `source` and
 * `destination`: addresses as they stand in memory. `ports`: both, as they stand in the UDP header. The
 * result is as it stands in the UDP header, on a little-endian machine.
 */
export function udpChecksum(
  { bytes, words }: Data,
  offset: number,
  length: number,
  source: number,
  destination: number,
  ports: number,
): number {
  const total = length + UDP_HEADER_SIZE;
  const swapped = ((total & 0xff) << 8) | (total >> 8);
  let even = (source & 0xffff) + (destination & 0xffff) + (ports & 0xffff) + UDP_PROTOCOL + 2 * swapped;
  let odd = (source >>> 16) + (destination >>> 16) + (ports >>> 16);
  const end = offset + length;
  let at = offset;
  if ((offset & 3) === 0) {
    // Both sums stay below 2^31 for 64 KiB.
    const lastWord = end >> 2;
    for (let word = offset >> 2; word < lastWord; word++) {
      const value = words[word];
      even += value & 0xffff;
      odd += value >>> 16;
    }
    at = lastWord << 2;
  }
  for (; at + 1 < end; at += 2) even += bytes[at] | (bytes[at + 1] << 8);
  if (at < end) even += bytes[at];
  // Folded apart: their sum may not fit into 31 bits.
  let sum = (even & 0xffff) + (even >>> 16) + (odd & 0xffff) + (odd >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  const checksum = ~sum & 0xffff;
  return checksum === 0 ? 0xffff : checksum; // 0 means that there is none
}
