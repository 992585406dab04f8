/**
 * Phrases about a flow as its first packet came in, and about packets that are copied for somebody. Pure.
 * @module
 */
import { REGISTER_1 } from "../data.ts";
import { CT_STATUS, type CtKey } from "../expr/ct.ts";
import type { NatType } from "../expr/nat.ts";
import type { PayloadBase } from "../expr/payload.ts";
import type { NftExpression } from "../expression.ts";
import { hostKey, portKey } from "../sets/set_type.ts";
import { FLOW_REGISTERS } from "./flows.ts";
import { ADDRESS_PLACES } from "./packet.ts";
import { compare, loadConntrack, lookUp, masked, type SetReference } from "./parts.ts";
import { PORT_OFFSETS } from "./transport.ts";

type Family = "ipv4" | "ipv6";
type Side = "source" | "destination";

const ADDRESS_KEYS: Readonly<Record<Family, Record<Side, CtKey>>> = {
  ipv4: { source: "ip-saddr", destination: "ip-daddr" },
  ipv6: { source: "ip6-saddr", destination: "ip6-daddr" },
};
const PORT_KEYS: Readonly<Record<Side, CtKey>> = { source: "proto-src", destination: "proto-dst" };

/** A fact about a flow's first packet: `ct original ip saddr`. */
export interface Original {
  readonly key: "address" | "port";
  readonly side: Side;
  readonly family: Family;
}

/** The facts that sets of flows have, in their order. */
export function originalEnds(family: Family): Original[] {
  const keys = ["address", "port"] as const;
  return (["source", "destination"] as const).flatMap((side) => keys.map((key) => ({ key, side, family })));
}

function loadOriginal({ key, side, family }: Original, register: number): NftExpression {
  const name = key === "address" ? ADDRESS_KEYS[family][side] : PORT_KEYS[side];
  return { kind: "ct", direction: "load", key: name, side: "original", register };
}

/**
 * `ct original ip saddr . ct original proto-src . ct original ip daddr . ct original proto-dst @flows`, for a
 * rule that has matched TCP or UDP before.
 */
export function originalIn(set: SetReference, { family }: { family: Family }): NftExpression[] {
  return [...loadOriginals(family), lookUp(set, false)];
}

/** `delete @flows { ct original ip saddr . … }`, after the same matches. */
export function forgetOriginal(set: string, { family }: { family: Family }): NftExpression[] {
  return [...loadOriginals(family), { kind: "dynset", operation: "delete", set, register: REGISTER_1 }];
}

/** Loads the ends of the flow as its first packet came in, in registers one after another. */
export function loadOriginals(family: Family): NftExpression[] {
  const registers = FLOW_REGISTERS[family];
  return originalEnds(family).map((end, at) => loadOriginal(end, registers[at]));
}

/** `@th,64,32 set ct original ip saddr`; no checksum is mended. */
export function overwrite(
  place: { base: PayloadBase; offset: number; length: number },
  original: Original,
): NftExpression[] {
  const { base, offset, length } = place;
  return [
    loadOriginal(original, REGISTER_1),
    { kind: "payload-write", base, offset, length, register: REGISTER_1 },
  ];
}

/** `th sport & 510 0-127`, with `original` `ct original proto-src & 510 0-127`. */
export function sourcePortIn(
  range: { mask: number; first: number; last: number },
  { original }: { original: boolean },
): NftExpression[] {
  const load: NftExpression = original
    ? loadOriginal({ key: "port", side: "source", family: "ipv4" }, REGISTER_1)
    : {
      kind: "payload",
      base: "transport",
      offset: PORT_OFFSETS.source,
      length: 2,
      register: REGISTER_1,
    };
  return [
    load,
    {
      kind: "bitwise",
      source: REGISTER_1,
      destination: REGISTER_1,
      mask: portKey(range.mask),
      xor: new Uint8Array(2),
    },
    compare("gte", portKey(range.first)),
    compare("lte", portKey(range.last)),
  ];
}

/** `ct status snat,dnat`: NAT has changed something. */
export function isTranslated(): NftExpression[] {
  return hasStatus(CT_STATUS.snat | CT_STATUS.dnat);
}

/** `ct status dnat`: NAT has changed its destination. */
export function isRedirected(): NftExpression[] {
  return hasStatus(CT_STATUS.dnat);
}

function hasStatus(bits: number): NftExpression[] {
  return [loadConntrack("status"), masked(bits, 0), compare("neq", hostKey(0))];
}

/** `ct status 0x2000`: a rule has given the flow a helper. (`ct helper` asks what its master has.) */
export function hasHelper(): NftExpression[] {
  return [loadConntrack("status"), masked(CT_STATUS.helper, 0), compare("neq", hostKey(0))];
}

/** `log prefix "p" group 50080 queue-threshold 1`. */
export function logTo(group: number, { prefix }: { prefix: string }): NftExpression[] {
  return [{ kind: "log", group, prefix, queueThreshold: 1 }];
}

/** `queue flags bypass to 54176`. */
export function queueTo(number: number): NftExpression[] {
  return [{ kind: "queue", number, bypass: true }];
}

/** `dnat ip to ip daddr`: the flow keeps its address, whatever other rules for NAT say. */
export function natToItself(family: Family, side: Side): NftExpression[] {
  const type: NatType = side === "source" ? "snat" : "dnat";
  return [
    { kind: "payload", base: "network", ...ADDRESS_PLACES[family][side], register: REGISTER_1 },
    { kind: "nat", type, family: family === "ipv4" ? "ip" : "ip6", addressRegister: REGISTER_1 },
  ];
}
