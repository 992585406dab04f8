/**
 * Phrases about what is known of a packet: its socket, its mark, its flow. Pure.
 * @module
 */
import { REGISTER_1 } from "../data.ts";
import { CT_SIDES, CT_STATE } from "../expr/ct.ts";
import type { NftExpression } from "../expression.ts";
import { hostKey, hostKey16 } from "../sets/set_type.ts";
import { ADDRESS_PLACES } from "./packet.ts";
import { compare, loadConntrack, loadMeta, lookUp, masked, type SetReference, update } from "./parts.ts";
import { PORT_OFFSETS } from "./transport.ts";

const ALL_BITS = 0xffffffff;
/** linux/netfilter/nf_conntrack_common.h: NF_CT_LABELS_MAX_SIZE. */
const LABEL_BYTES = 16;
/** The user id that nobody has: (uid_t) -1. */
const NO_USER = 0xffffffff;
/**
 * Registers of the parts of a flow, which lie one after another; nft calls those that begin a 16-byte
 * register by its number.
 */
export const FLOW_REGISTERS = { ipv4: [1, 9, 10, 11], ipv6: [1, 2, 13, 17] } as const;

/** `socket transparent 1`. */
export function transparentSocket(): NftExpression[] {
  return [{ kind: "socket", key: "transparent", register: REGISTER_1 }, compare("eq", Uint8Array.of(1))];
}

/** `socket wildcard 1`: it listens on all addresses. The rule ends for requests and in TIME_WAIT. */
export function wildcardSocket(): NftExpression[] {
  return [{ kind: "socket", key: "wildcard", register: REGISTER_1 }, compare("eq", Uint8Array.of(1))];
}

/**
 * `meta skuid != 4294967295`: a program has sent it. Sockets of the kernel itself have no user: the rule ends
 * for their packets.
 */
export function ofProgram(): NftExpression[] {
  return [loadMeta("skuid"), compare("neq", hostKey(NO_USER))];
}

/** `meta mark & MASK == MARK`; `key` "socket" asks for the socket's mark instead, "ct" for the flow's. */
export function hasMark(
  mark: number,
  options: { mask: number; key?: "meta" | "socket" | "ct"; negate?: boolean },
): NftExpression[] {
  const match = compare(options.negate ? "neq" : "eq", hostKey(mark));
  const load = loadMark(options.key ?? "meta");
  return options.mask >>> 0 === ALL_BITS ? [load, match] : [load, masked(options.mask, 0), match];
}

function loadMark(key: "meta" | "socket" | "ct"): NftExpression {
  switch (key) {
    case "meta":
      return loadMeta("mark");
    case "ct":
      return loadConntrack("mark");
    case "socket":
      return { kind: "socket", key: "mark", register: REGISTER_1 };
    default:
      return key satisfies never;
  }
}

/** `ct state established,related`. */
export function conntrackState(states: readonly (keyof typeof CT_STATE)[]): NftExpression[] {
  const bits = states.reduce((sum, state) => sum | CT_STATE[state], 0);
  return [loadConntrack("state"), masked(bits, 0), compare("neq", hostKey(0))];
}

/** `ct direction original`: the packet is of the side that has begun the flow. */
export function originalDirection(): NftExpression[] {
  return [loadConntrack("direction"), compare("eq", Uint8Array.of(CT_SIDES.number("original")))];
}

/** `ct zone 50080`. */
export function inZone(zone: number): NftExpression[] {
  return [loadConntrack("zone"), compare("eq", hostKey16(zone))];
}

/** `ct label 120`, with `negate` `ct label ! 120`: the flow has been given the label, or has not. */
export function hasLabel(label: number, options: { negate: boolean }): NftExpression[] {
  const nothing = new Uint8Array(LABEL_BYTES);
  return [
    loadConntrack("label"),
    {
      kind: "bitwise",
      source: REGISTER_1,
      destination: REGISTER_1,
      mask: labelBits(label),
      xor: nothing,
    },
    compare(options.negate ? "eq" : "neq", nothing),
  ];
}

/** `ct label set 120`: it stays with the flow, and so do the labels that it has. */
export function setLabel(label: number): NftExpression[] {
  return [
    { kind: "immediate", register: REGISTER_1, value: labelBits(label) },
    { kind: "ct", direction: "set", key: "label", register: REGISTER_1 },
  ];
}

/** All machines that this runs on are little-endian. */
function labelBits(label: number): Uint8Array {
  const bits = new Uint8Array(LABEL_BYTES);
  bits[label >> 3] = 1 << (label & 7);
  return bits;
}

/** `meta priority 7470:0`. */
export function hasPriority(priority: number): NftExpression[] {
  return [loadMeta("priority"), compare("eq", hostKey(priority))];
}

/**
 * `ip saddr . th sport . ip daddr . th dport @flows`, for a rule that has matched the family and TCP or UDP
 * before; with `first` "destination" the destination comes first.
 */
export function flowIn(
  set: SetReference,
  options: { family: "ipv4" | "ipv6"; first: "source" | "destination" },
): NftExpression[] {
  return [...loadFlow(options.family, options.first), lookUp(set, false)];
}

/**
 * `update @flows { ip saddr . th sport . ip daddr . th dport }`, after the same matches; with `first`
 * "destination" the destination comes first, and the element is the flow as its answers are addressed.
 */
export function updateFlow(
  set: string,
  options: { family: "ipv4" | "ipv6"; first: "source" | "destination" },
): NftExpression[] {
  return [...loadFlow(options.family, options.first), update(set)];
}

/** Loads one end of the flow and then the other, in registers one after another. */
export function loadFlow(family: "ipv4" | "ipv6", first: "source" | "destination"): NftExpression[] {
  const second = first === "source" ? "destination" : "source";
  const registers = FLOW_REGISTERS[family];
  return ([first, second] as const).flatMap((side, end): NftExpression[] => [
    { kind: "payload", base: "network", ...ADDRESS_PLACES[family][side], register: registers[2 * end] },
    {
      kind: "payload",
      base: "transport",
      offset: PORT_OFFSETS[side],
      length: 2,
      register: registers[2 * end + 1],
    },
  ]);
}
