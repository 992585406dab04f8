/**
 * Phrases about the header behind the IP header: protocols, ports, flags, ICMP. Pure.
 * @module
 */
import { REGISTER_1 } from "../data.ts";
import type { NftExpression } from "../expression.ts";
import { portKey } from "../sets/set_type.ts";
import { compare, loadMeta, lookUp, type SetReference } from "./parts.ts";
import { networkFamily } from "./packet.ts";

// linux/in.h: IPPROTO_*
const PROTOCOL_NUMBERS = { tcp: 6, udp: 17 } as const;
const ICMP_NUMBERS = { ipv4: 1, ipv6: 58 } as const;
/** The type, or type and code: RFC 792, RFC 4443. */
const ICMP_ERRORS = {
  ipv4: { "too-big": [3, 4], unreachable: [3] },
  ipv6: { "too-big": [2], unreachable: [1] },
} as const;
/** The byte of a TCP header that holds the flags. */
const TCP_FLAGS_OFFSET = 13;
/** Places of the ports in headers of TCP and UDP. */
export const PORT_OFFSETS = { source: 0, destination: 2 } as const;
/** linux/tcp.h: TCP_FLAG_* */
export const TCP_FLAGS = { fin: 0x01, syn: 0x02, rst: 0x04, psh: 0x08, ack: 0x10 } as const;

/** A transport protocol that a rule can name. */
export type TransportProtocol = "tcp" | "udp";

/** The key of a protocol in a set of type inet_proto. */
export function protocolKey(protocol: TransportProtocol): Uint8Array {
  return Uint8Array.of(PROTOCOL_NUMBERS[protocol]);
}

/** `meta l4proto tcp`, or with a set of type inet_proto `meta l4proto { tcp, udp }`. */
export function transport(protocol: TransportProtocol | SetReference): NftExpression[] {
  const match = typeof protocol === "string" ? compare("eq", protocolKey(protocol)) : lookUp(protocol, false);
  return [loadMeta("l4proto"), match];
}

/** `tcp flags syn / fin,syn,rst,ack`, for a rule that has matched TCP before; with `negate`, `!=`. */
export function bareSyn(options: { negate?: boolean } = {}): NftExpression[] {
  const mask = TCP_FLAGS.fin | TCP_FLAGS.syn | TCP_FLAGS.rst | TCP_FLAGS.ack;
  return flagsAre(TCP_FLAGS.syn, { mask, negate: options.negate ?? false });
}

/** `tcp flags ack / syn,rst,ack`, after the same match. */
export function acknowledges(): NftExpression[] {
  const mask = TCP_FLAGS.syn | TCP_FLAGS.rst | TCP_FLAGS.ack;
  return flagsAre(TCP_FLAGS.ack, { mask, negate: false });
}

/** `tcp flags rst / rst,ack`, after the same match. */
export function resetsAlone(): NftExpression[] {
  return flagsAre(TCP_FLAGS.rst, { mask: TCP_FLAGS.rst | TCP_FLAGS.ack, negate: false });
}

/** `tcp option 19 exists`, after the same match. */
export function tcpOption(option: number): NftExpression[] {
  return [{ kind: "tcp-option", option, register: REGISTER_1 }, compare("eq", Uint8Array.of(1))];
}

/** `reset tcp option 34`, after the same match. */
export function resetTcpOption(option: number): NftExpression[] {
  return [{ kind: "tcp-option-reset", option }];
}

/** `@ih,0,8 >= 0x0`: there is a byte behind the transport header; the rule ends where there is none. */
export function carriesData(): NftExpression[] {
  return [
    { kind: "payload", base: "inner", offset: 0, length: 1, register: REGISTER_1 },
    compare("gte", new Uint8Array(1)),
  ];
}

function flagsAre(flags: number, { mask, negate }: { mask: number; negate: boolean }): NftExpression[] {
  return [
    { kind: "payload", base: "transport", offset: TCP_FLAGS_OFFSET, length: 1, register: REGISTER_1 },
    {
      kind: "bitwise",
      source: REGISTER_1,
      destination: REGISTER_1,
      mask: Uint8Array.of(mask),
      xor: new Uint8Array(1),
    },
    compare(negate ? "neq" : "eq", Uint8Array.of(flags)),
  ];
}

/** `th dport @ports`, for a rule that has matched TCP or UDP before; a number is one port. */
export function destinationPort(
  ports: number | SetReference,
  options: { negate?: boolean } = {},
): NftExpression[] {
  const match = typeof ports === "number"
    ? compare(options.negate ? "neq" : "eq", portKey(ports))
    : lookUp(ports, options.negate ?? false);
  return [
    {
      kind: "payload",
      base: "transport",
      offset: PORT_OFFSETS.destination,
      length: 2,
      register: REGISTER_1,
    },
    match,
  ];
}

/**
 * Asks for what a router on the way says of a packet: `icmp type destination-unreachable icmp code
 * frag-needed`, `icmpv6 type packet-too-big`; or `icmp type destination-unreachable`, which has frag-needed
 * among its codes, and `icmpv6 type destination-unreachable`.
 */
export function icmpError(family: "ipv4" | "ipv6", error: "too-big" | "unreachable"): NftExpression[] {
  const value = Uint8Array.from(ICMP_ERRORS[family][error]);
  return [
    ...networkFamily(family),
    loadMeta("l4proto"),
    compare("eq", Uint8Array.of(ICMP_NUMBERS[family])),
    { kind: "payload", base: "transport", offset: 0, length: value.length, register: REGISTER_1 },
    compare("eq", value),
  ];
}
