/**
 * IPv6 addresses in which an IPv4 address is embedded. Pure.
 * @module
 */
import { AF_INET6 } from "../../../ffi/consts.ts";

/** The third word of an address in ::ffff:0:0/96, as it lies in memory. */
const MAPPED = 0xffff0000 | 0;

/**
 * Tells whether the struct sockaddr at `at` holds an IPv4-mapped (::ffff:0:0/96) or IPv4-compatible (::/96)
 * address. Such is never dialled: a socket would reach the IPv4 address in it, past all rules about that
 * one; 127.0.0.1 of this machine, for example.
 */
export function embedsIpv4(words: Int32Array, at: number): boolean {
  return (words[at] & 0xffff) === AF_INET6 && words[at + 2] === 0 && words[at + 3] === 0 &&
    (words[at + 4] === 0 || words[at + 4] === MAPPED);
}
