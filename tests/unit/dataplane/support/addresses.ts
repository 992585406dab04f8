/**
 * Addresses in C's layout, as 32-bit words.
 * @module
 */
import { makeSockaddr, writeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { parseEndpoint } from "../../../../src/net/ip.ts";

/** The struct sockaddr of `192.0.2.1:80` or `[2001:db8::1]:80`. */
export function sockaddr(text: string): Int32Array {
  const address = makeSockaddr();
  writeSockaddr(address, parseEndpoint(text)!);
  return new Int32Array(address.buffer);
}
