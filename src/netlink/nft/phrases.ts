/**
 * Statements of nft's language as the expressions that nft 1.0.6 makes of them, so that `nft list ruleset` prints them
 * as they were meant. Each takes as little as it needs; a rule is a concatenation of what they return. Pure.
 * @module
 */
import { FAMILY_NUMBERS } from "../../net/families.ts";
import type { Endpoint } from "../../net/ip.ts";
import { type RouteType, routeTypeNumber } from "../route/route.ts";
import { REGISTER_1, REGISTER_2, type Verdict, type VerdictCode } from "./data.ts";
import type { NftExpression } from "./expression.ts";
import type { CmpOperator } from "./expr/cmp.ts";
import { CT_STATE } from "./expr/ct.ts";
import type { MetaKey } from "./expr/meta.ts";
import { ICMPX_PORT_UNREACHABLE } from "./expr/reject.ts";
import { hostKey, ifnameKey, portKey } from "./sets/set_type.ts";

// linux/in.h, linux/netfilter.h
const PROTOCOL_NUMBERS = { tcp: 6, udp: 17 } as const;
/** The byte of a TCP header that holds the flags, and where the destination port is (in UDP too). */
const TCP_FLAGS_OFFSET = 13;
const DESTINATION_PORT_OFFSET = 2;
/** linux/tcp.h: TCP_FLAG_* */
export const TCP_FLAGS = { fin: 0x01, syn: 0x02, rst: 0x04, psh: 0x08, ack: 0x10 } as const;

/** A set to look up; `setId` where it is of the same batch and has no name. */
export interface SetReference {
  readonly set: string;
  readonly setId?: number;
}

/** A transport protocol that a rule can name. */
export type TransportProtocol = "tcp" | "udp";

/** The key of a protocol in a set of type inet_proto. */
export function protocolKey(protocol: TransportProtocol): Uint8Array {
  return Uint8Array.of(PROTOCOL_NUMBERS[protocol]);
}

/** The key of an address type in a set of type fib_addrtype. */
export function addressTypeKey(type: RouteType): Uint8Array {
  return hostKey(routeTypeNumber(type));
}

function compare(operator: CmpOperator, value: Uint8Array): NftExpression {
  return { kind: "cmp", operator, register: REGISTER_1, value };
}

function loadMeta(key: MetaKey): NftExpression {
  return { kind: "meta", direction: "load", key, register: REGISTER_1 };
}

function lookUp(reference: SetReference, inverted: boolean): NftExpression {
  return { kind: "lookup", register: REGISTER_1, ...reference, ...(inverted ? { inverted } : {}) };
}

/** `iifname "lan0"`, or `iifname @lan`; with `negate`, `!=`. */
export function inputInterface(
  interfaces: string | SetReference,
  options: { negate?: boolean } = {},
): NftExpression[] {
  const match = typeof interfaces === "string"
    ? compare(options.negate ? "neq" : "eq", ifnameKey(interfaces))
    : lookUp(interfaces, options.negate ?? false);
  return [loadMeta("iifname"), match];
}

/** `meta nfproto ipv4`. */
export function networkFamily(family: "ipv4" | "ipv6"): NftExpression[] {
  return [loadMeta("nfproto"), compare("eq", Uint8Array.of(FAMILY_NUMBERS[family]))];
}

/** `meta l4proto tcp`, or with a set of type inet_proto `meta l4proto { tcp, udp }`. */
export function transport(protocol: TransportProtocol | SetReference): NftExpression[] {
  const match = typeof protocol === "string" ? compare("eq", protocolKey(protocol)) : lookUp(protocol, false);
  return [loadMeta("l4proto"), match];
}

/** `tcp flags syn / fin,syn,rst,ack`, for a rule that has matched TCP before. */
export function bareSyn(): NftExpression[] {
  const mask = TCP_FLAGS.fin | TCP_FLAGS.syn | TCP_FLAGS.rst | TCP_FLAGS.ack;
  return [
    { kind: "payload", base: "transport", offset: TCP_FLAGS_OFFSET, length: 1, register: REGISTER_1 },
    {
      kind: "bitwise",
      source: REGISTER_1,
      destination: REGISTER_1,
      mask: Uint8Array.of(mask),
      xor: new Uint8Array(1),
    },
    compare("eq", Uint8Array.of(TCP_FLAGS.syn)),
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
    { kind: "payload", base: "transport", offset: DESTINATION_PORT_OFFSET, length: 2, register: REGISTER_1 },
    match,
  ];
}

/** `fib daddr type local`, or with a set of type fib_addrtype `fib daddr type { local, broadcast }`. */
export function destinationType(types: RouteType | SetReference): NftExpression[] {
  const match = typeof types === "string" ? compare("eq", addressTypeKey(types)) : lookUp(types, false);
  return [{ kind: "fib", flags: ["daddr"], result: "type", register: REGISTER_1 }, match];
}

/** `ip daddr @nets`, `ip6 saddr @nets`; in an inet table after {@linkcode networkFamily}. */
export function address(
  side: "source" | "destination",
  options: { family: "ipv4" | "ipv6"; set: SetReference; negate?: boolean },
): NftExpression[] {
  const [first, length] = options.family === "ipv4" ? [12, 4] : [8, 16];
  const offset = side === "source" ? first : first + length;
  return [
    { kind: "payload", base: "network", offset, length, register: REGISTER_1 },
    lookUp(options.set, options.negate ?? false),
  ];
}

/** `socket transparent 1`. */
export function transparentSocket(): NftExpression[] {
  return [
    { kind: "socket", key: "transparent", register: REGISTER_1 },
    compare("eq", Uint8Array.of(1)),
  ];
}

function masked(mask: number, xor: number): NftExpression {
  return {
    kind: "bitwise",
    source: REGISTER_1,
    destination: REGISTER_1,
    mask: hostKey(mask >>> 0),
    xor: hostKey(xor >>> 0),
  };
}

/** `meta mark & MASK == MARK`; `key` "socket" asks for the socket's mark instead. */
export function hasMark(
  mark: number,
  options: { mask: number; key?: "meta" | "socket"; negate?: boolean },
): NftExpression[] {
  const load: NftExpression = options.key === "socket"
    ? { kind: "socket", key: "mark", register: REGISTER_1 }
    : loadMeta("mark");
  const match = compare(options.negate ? "neq" : "eq", hostKey(mark));
  return options.mask >>> 0 === 0xffffffff ? [load, match] : [load, masked(options.mask, 0), match];
}

/** `meta mark set meta mark | BITS`. */
export function setMarkBits(bits: number): NftExpression[] {
  return [
    loadMeta("mark"),
    masked(~bits, bits),
    { kind: "meta", direction: "set", key: "mark", register: REGISTER_1 },
  ];
}

/** `ct state established,related`. */
export function conntrackState(states: readonly (keyof typeof CT_STATE)[]): NftExpression[] {
  const bits = states.reduce((sum, state) => sum | CT_STATE[state], 0);
  return [
    { kind: "ct", direction: "load", key: "state", register: REGISTER_1 },
    masked(bits, 0),
    compare("neq", hostKey(0)),
  ];
}

/** `tproxy ip to 127.0.0.1:50080`. */
export function tproxyTo(to: Endpoint): NftExpression[] {
  return [
    { kind: "immediate", register: REGISTER_1, value: to.address.bytes },
    { kind: "immediate", register: REGISTER_2, value: portKey(to.port) },
    {
      kind: "tproxy",
      family: to.address.family === "ipv4" ? "ip" : "ip6",
      addressRegister: REGISTER_1,
      portRegister: REGISTER_2,
    },
  ];
}

/** `notrack`. */
export function notrack(): NftExpression[] {
  return [{ kind: "notrack" }];
}

/** `counter`. */
export function counter(): NftExpression[] {
  return [{ kind: "counter" }];
}

/** `reject with tcp reset`, or in an inet table `reject with icmpx port-unreachable`. */
export function reject(answer: "tcp-reset" | "port-unreachable"): NftExpression[] {
  if (answer === "tcp-reset") return [{ kind: "reject", type: "tcp-reset", code: 0 }];
  return [{ kind: "reject", type: "icmpx", code: ICMPX_PORT_UNREACHABLE }];
}

/** `accept`, `drop`, `return`, `jump CHAIN`, `goto CHAIN`. */
export function verdict(code: VerdictCode, chain?: string): NftExpression[] {
  const value: Verdict = chain === undefined ? { code } : { code, chain };
  return [{ kind: "verdict", verdict: value }];
}

/** `masquerade`, in a chain of type nat at postrouting. */
export function masquerade(): NftExpression[] {
  return [{ kind: "masquerade" }];
}
