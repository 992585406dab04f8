/**
 * Fields of a packet that vanishes, overwritten with the flow's original addresses and ports, so that one
 * copy tells both. Pure.
 * @module
 */
import type { Protocol } from "../../../config/types.ts";
import type { Family } from "../../../net/ip.ts";
import type { Verb } from "../model.ts";

type Base = "network" | "transport";
/** Side, header, offset and length in it. */
type Field = readonly ["source" | "destination", Base, number, number];

function address(family: Family, [side, base, offset, length]: Field): Verb {
  return { kind: "overwrite", base, offset, length, original: { key: "address", side, family } };
}

function port(family: Family, [side, base, offset, length]: Field): Verb {
  return { kind: "overwrite", base, offset, length, original: { key: "port", side, family } };
}

/**
 * IPv4: the fields of the headers that the worker does without. It knows the packet by its prefix, so even
 * the protocol may go.
 */
export const SQUEEZED: Readonly<Record<Protocol, readonly Verb[]>> = {
  tcp: [
    address("ipv4", ["source", "transport", 8, 4]), // the acknowledgement's number
    address("ipv4", ["destination", "network", 4, 4]), // identification, fragment
    port("ipv4", ["source", "transport", 16, 2]), // checksum
    port("ipv4", ["destination", "transport", 18, 2]), // urgent pointer
  ],
  udp: [
    address("ipv4", ["source", "network", 2, 4]), // length, identification; "don't fragment" stays
    address("ipv4", ["destination", "network", 8, 4]), // TTL, protocol, checksum
    port("ipv4", ["source", "transport", 4, 2]), // length
    port("ipv4", ["destination", "transport", 6, 2]), // checksum
  ],
};

/** The packet as it came in: the header of IPv6 has no room, and of IPv4 some need all. */
export const RESTORED: Readonly<Record<Family, readonly Verb[]>> = {
  ipv4: [
    address("ipv4", ["source", "network", 12, 4]),
    address("ipv4", ["destination", "network", 16, 4]),
    port("ipv4", ["source", "transport", 0, 2]),
    port("ipv4", ["destination", "transport", 2, 2]),
  ],
  ipv6: [
    address("ipv6", ["source", "network", 8, 16]),
    address("ipv6", ["destination", "network", 24, 16]),
    port("ipv6", ["source", "transport", 0, 2]),
    port("ipv6", ["destination", "transport", 2, 2]),
  ],
};
