/**
 * Ends of a packet as struct sockaddr in 32-bit words. `port`: in network order, as it lies in memory; what
 * is above its 16 bits does not count. Pure, and without allocation.
 * @module
 */
import { AF_INET, AF_INET6 } from "../../../../ffi/consts.ts";

/** Writes one of IPv4 at `at`. */
export function writeIpv4(to: Int32Array, at: number, address: number, port: number): void {
  to[at] = AF_INET | (port << 16);
  to[at + 1] = address;
  for (let word = 2; word < 8; word++) to[at + word] = 0;
}

/** Writes one of IPv6 at `at`; `address`: where it begins in `from`. */
export function writeIpv6(to: Int32Array, at: number, from: Int32Array, address: number, port: number): void {
  to[at] = AF_INET6 | (port << 16);
  to[at + 1] = to[at + 6] = to[at + 7] = 0;
  for (let word = 0; word < 4; word++) to[at + 2 + word] = from[address + word];
}
