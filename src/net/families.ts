/**
 * Facts of each address family. Pure.
 * @module
 */
import { type Family, type IpAddress, parseIp } from "./ip.ts";

/** Both, in the order in which they are shown. */
export const FAMILIES: readonly Family[] = ["ipv4", "ipv6"];

/** AF_INET and AF_INET6; netfilter's NFPROTO_IPV4 and NFPROTO_IPV6 are the same numbers. */
export const FAMILY_NUMBERS: Readonly<Record<Family, number>> = { ipv4: 2, ipv6: 10 };

/** Never a wildcard: that would take connections to the listener's port of any server. */
const LISTENERS: Readonly<Record<Family, IpAddress>> = { ipv4: parseIp("127.0.0.1")!, ipv6: parseIp("::1")! };

/** Gives the address that the transparent listener of a family has. */
export function listenerAddress(family: Family): IpAddress {
  return LISTENERS[family];
}
