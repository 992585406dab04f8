/**
 * The datagram by which a running proxy shows itself: what it tells, in its size. Pure.
 * @module
 */
import type { Config, Protocol } from "../../config/types.ts";
import type { Family } from "../../net/ip.ts";

/** The set in which a running proxy shows itself. */
export const RUNNING_SET = "running";

const UDP_HEADER_SIZE = 8;
const IP_HEADER_SIZES: Readonly<Record<Family, number>> = { ipv4: 20, ipv6: 40 };
const PROTOCOL_BITS: Readonly<Record<Protocol, number>> = { tcp: 1, udp: 2 };
/** Sizes that it may have: a prime, so that ports that people choose do not share one. */
const SIZES = 1021;

/** What the rules must know of the proxy: with another port, or without a protocol, it is none for them. */
export type SignedConfig = Pick<Config, "listener"> & {
  readonly intercept: Pick<Config["intercept"], "protocols">;
};

/** Bytes of payload. */
export function signSize({ listener, intercept }: SignedConfig): number {
  const protocols = intercept.protocols.reduce((bits, protocol) => bits | PROTOCOL_BITS[protocol], 0);
  return (listener.port * 4 + protocols) % SIZES;
}

/** Bytes of the whole packet. */
export function signLength(config: SignedConfig, family: Family): number {
  return IP_HEADER_SIZES[family] + UDP_HEADER_SIZE + signSize(config);
}
