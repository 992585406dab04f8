/**
 * The sign of a running proxy: the set that holds it, and the size of the datagram that fills the set, which
 * tells the proxy's port and protocols. Pure.
 * @module
 */
import type { Protocol } from "../../config/types.ts";
import type { Family } from "../../net/ip.ts";

/** The set in which a running proxy shows itself. */
export const RUNNING_SET = "running";

const UDP_HEADER_SIZE = 8;
const IP_HEADER_SIZES: Readonly<Record<Family, number>> = { ipv4: 20, ipv6: 40 };
const PROTOCOL_BITS: Readonly<Record<Protocol, number>> = { tcp: 1, udp: 2 };
/** Sizes that it may have: a prime, so that ports that people choose do not share one. */
const SIZES = 1021;

/** The facts that the rules go by: with another port, or without a protocol, a proxy is none for them. */
export interface Sign {
  readonly listenerPort: number;
  readonly protocols: readonly Protocol[];
}

/** Counts the bytes of payload. */
export function signSize({ listenerPort, protocols }: Sign): number {
  const bits = protocols.reduce((bits, protocol) => bits | PROTOCOL_BITS[protocol], 0);
  return (listenerPort * 4 + bits) % SIZES;
}

/** Counts the bytes of the whole packet. */
export function signLength(sign: Sign, family: Family): number {
  return IP_HEADER_SIZES[family] + UDP_HEADER_SIZE + signSize(sign);
}
