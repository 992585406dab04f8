/**
 * Socket addresses in C's layout. Ports and addresses are in network order inside, as C has them. Pure.
 * @module
 */
import type { Endpoint } from "../../src/net/ip.ts";
import { AF_INET, AF_INET6, AF_NETLINK } from "../consts.ts";
import {
  SOCKADDR_IN6_ADDRESS,
  SOCKADDR_IN6_SIZE,
  SOCKADDR_IN_ADDRESS,
  SOCKADDR_IN_SIZE,
  SOCKADDR_NL_SIZE,
  SOCKADDR_SIZE,
} from "../layout.ts";

/** A fresh buffer with room for an address of either family. */
export function makeSockaddr(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(SOCKADDR_SIZE);
}

/** The length that C wants for the address in `buffer`: 16 for IPv4, 28 for IPv6. */
export function sockaddrLength(buffer: Uint8Array): number {
  return buffer[0] === AF_INET6 ? SOCKADDR_IN6_SIZE : SOCKADDR_IN_SIZE;
}

/** Writes an endpoint as struct sockaddr_in or sockaddr_in6 into `buffer`, 32 bytes; scope id 0. */
export function writeSockaddr(buffer: Uint8Array, { address, port }: Endpoint): void {
  buffer.fill(0);
  buffer[0] = address.family === "ipv4" ? AF_INET : AF_INET6;
  buffer[2] = port >> 8;
  buffer[3] = port & 0xff;
  buffer.set(address.bytes, address.family === "ipv4" ? SOCKADDR_IN_ADDRESS : SOCKADDR_IN6_ADDRESS);
}

/** The place of the address in a struct sockaddr of this family. */
export function addressAt(family: number): number {
  return family === AF_INET ? SOCKADDR_IN_ADDRESS : SOCKADDR_IN6_ADDRESS;
}

/** The length of an address of this family. */
export function addressLength(family: number): number {
  return family === AF_INET ? 4 : 16;
}

/** Tells whether two struct sockaddr have the same address, whatever their ports are. No allocation. */
export function sameHost(a: Uint8Array, b: Uint8Array): boolean {
  if (a[0] !== b[0]) return false;
  const at = addressAt(a[0]);
  const end = at + addressLength(a[0]);
  for (let i = at; i < end; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Reads struct sockaddr_in or sockaddr_in6. Copies: for logs and the control plane, not for the hot path. */
export function readSockaddr(buffer: Uint8Array): Endpoint {
  const port = (buffer[2] << 8) | buffer[3];
  if (buffer[0] === AF_INET) {
    return {
      address: { family: "ipv4", bytes: buffer.slice(SOCKADDR_IN_ADDRESS, SOCKADDR_IN_ADDRESS + 4) },
      port,
    };
  }
  return {
    address: { family: "ipv6", bytes: buffer.slice(SOCKADDR_IN6_ADDRESS, SOCKADDR_IN6_ADDRESS + 16) },
    port,
  };
}

/**
 * A netlink address. `port`: the socket's number, 0 for one that the kernel chooses; `groups`: their bits.
 */
export function netlinkAddress(options: { port?: number; groups?: number } = {}): Uint8Array<ArrayBuffer> {
  const address = new Uint8Array(SOCKADDR_NL_SIZE);
  address[0] = AF_NETLINK;
  new Uint32Array(address.buffer).set([options.port ?? 0, options.groups ?? 0], 1);
  return address;
}

/** The port. */
export function portOf(buffer: Uint8Array): number {
  return (buffer[2] << 8) | buffer[3];
}

/** Sets the port, in place. */
export function setPort(buffer: Uint8Array, port: number): void {
  buffer[2] = port >> 8;
  buffer[3] = port & 0xff;
}

/** Sets the port to 0, "any", in place. */
export function clearPort(buffer: Uint8Array): void {
  buffer[2] = 0;
  buffer[3] = 0;
}

/** Tells whether two addresses of the same family have the same address and port. No allocation. */
export function sameSockaddr(a: Uint8Array, b: Uint8Array): boolean {
  const ipv6 = a[0] === AF_INET6;
  const end = ipv6 ? SOCKADDR_IN6_ADDRESS + 16 : SOCKADDR_IN_ADDRESS + 4;
  for (let i = 0; i < end; i++) {
    // Bytes 4 to 7 of sockaddr_in6 are the flow label, which is no part of the identity.
    if (a[i] !== b[i] && !(ipv6 && i >= 4 && i < SOCKADDR_IN6_ADDRESS)) return false;
  }
  return true;
}
