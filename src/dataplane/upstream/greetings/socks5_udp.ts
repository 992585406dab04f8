/**
 * Datagrams through a SOCKS5 proxy: each has a header that names the other end (RFC 1928, 7). Pure.
 * @module
 */
import { AF_INET } from "../../../../ffi/consts.ts";
import { addressAt, addressLength, portOf, setPort } from "../../../../ffi/sockets/sockaddr.ts";
import type { Sockaddr } from "../upstream.ts";
import { ATYP_IPV4, ATYP_IPV6, readAddress, SOCKS_ADDRESS_AT } from "./socks5_address.ts";
import { writeAddress, writePort } from "./wire.ts";

const FRAGMENT_AT = 2;

/** The length of the header of a datagram to or from this address. */
export function socksHeaderLength(family: number): number {
  return SOCKS_ADDRESS_AT + 1 + addressLength(family) + 2;
}

/** Writes the header of a datagram to an address. Its length. */
export function writeSocksHeader(bytes: Uint8Array, destination: Sockaddr): number {
  bytes[0] = bytes[1] = bytes[FRAGMENT_AT] = 0;
  bytes[SOCKS_ADDRESS_AT] = destination[0] === AF_INET ? ATYP_IPV4 : ATYP_IPV6;
  return writePort(bytes, writeAddress(bytes, SOCKS_ADDRESS_AT + 1, destination), destination);
}

/**
 * Reads the header of a datagram of `length` bytes; `source` is filled with the sender's address. Where the
 * data begins; -1: it is to be dropped, as a fragment, one from a name, or no such datagram at all.
 */
export function readSocksHeader(bytes: Uint8Array, length: number, source: Sockaddr): number {
  if (length < SOCKS_ADDRESS_AT || bytes[FRAGMENT_AT] !== 0) return -1;
  const end = readAddress(bytes, SOCKS_ADDRESS_AT, length, source);
  return end <= 0 || source[0] === 0 ? -1 : end;
}

/**
 * Finds where datagrams are to be sent for an association. `bound`: the address of the reply; `proxy`: the
 * other end of the TCP connection. Replies have the wildcard in them, or what the proxy takes for its address
 * behind a NAT: only the port is sure. An address is believed if it is public where the proxy's is not.
 */
export function relayAddress(bound: Sockaddr, proxy: Sockaddr, relay: Sockaddr): void {
  const isBetter = bound[0] !== 0 && isPublic(bound) && !isPublic(proxy);
  relay.set(isBetter ? bound : proxy);
  setPort(relay, portOf(bound));
}

/** Tells whether hosts anywhere may reach the address, as far as its first bits tell. */
export function isPublic(sockaddr: Sockaddr): boolean {
  const at = addressAt(sockaddr[0]);
  const [a, b] = [sockaddr[at], sockaddr[at + 1]];
  if (sockaddr[0] !== AF_INET) return (a & 0xe0) === 0x20; // 2000::/3
  if (a === 0 || a === 10 || a === 127 || a >= 224) return false;
  if ((a === 100 && (b & 0xc0) === 64) || (a === 169 && b === 254)) return false;
  return !((a === 172 && (b & 0xf0) === 16) || (a === 192 && b === 168));
}
