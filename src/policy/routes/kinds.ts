/**
 * The four kinds of flows that an upstream may treat differently. Pure.
 * @module
 */
import type { Protocol } from "../../config/types.ts";
import type { Family } from "../../net/ip.ts";

/** A protocol in a family. */
export interface FlowKind {
  readonly protocol: Protocol;
  readonly family: Family;
}

/** All of them; {@linkcode kindNumber} is a place in this list. */
export const FLOW_KINDS: readonly FlowKind[] = [
  { protocol: "tcp", family: "ipv4" },
  { protocol: "tcp", family: "ipv6" },
  { protocol: "udp", family: "ipv4" },
  { protocol: "udp", family: "ipv6" },
];

/** Finds the kind of a flow. */
export function kindNumber(udp: boolean, ipv6: boolean): number {
  return (udp ? 2 : 0) + (ipv6 ? 1 : 0);
}
