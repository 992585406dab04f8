/**
 * Addresses as SOCKS5 writes them: a type, the address or a name, the port. Pure.
 * @module
 */
import { AF_INET, AF_INET6 } from "../../../../ffi/consts.ts";
import { addressAt, addressLength } from "../../../../ffi/sockets/sockaddr.ts";

/** Types of addresses. */
export const ATYP_IPV4 = 1;
export const ATYP_NAME = 3;
export const ATYP_IPV6 = 4;

/** The place of the type in a request, a reply, and the header of a datagram. */
export const SOCKS_ADDRESS_AT = 3;

/**
 * Reads the address that begins at `at` into a struct sockaddr; a name leaves that with family 0. Where it
 * ends; 0: `length` bytes are not enough; -1: it is of an unknown type.
 */
export function readAddress(bytes: Uint8Array, at: number, length: number, sockaddr: Uint8Array): number {
  if (length < at + 2) return 0;
  const type = bytes[at];
  sockaddr.fill(0);
  if (type === ATYP_NAME) {
    const end = at + 2 + bytes[at + 1] + 2;
    return length < end ? 0 : end;
  }
  if (type !== ATYP_IPV4 && type !== ATYP_IPV6) return -1;
  const family = type === ATYP_IPV4 ? AF_INET : AF_INET6;
  const port = at + 1 + addressLength(family);
  if (length < port + 2) return 0;
  sockaddr[0] = family;
  sockaddr[2] = bytes[port];
  sockaddr[3] = bytes[port + 1];
  const to = addressAt(family);
  for (let i = at + 1; i < port; i++) sockaddr[to + i - at - 1] = bytes[i];
  return port + 2;
}
