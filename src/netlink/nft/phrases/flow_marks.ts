/**
 * Phrases about maps that hold the marks of flows, for rules that have matched the family and TCP or UDP
 * before. Pure.
 * @module
 */
import { REGISTER_1 } from "../data.ts";
import type { DynsetOperation } from "../expr/dynset.ts";
import type { NftExpression } from "../expression.ts";
import { loadFlow } from "./flows.ts";
import { loadOriginals } from "./originals.ts";

type Family = "ipv4" | "ipv6";

/** Registers behind those of a flow; nft calls the first by the number of a 16-byte register. */
const MARK_REGISTERS = { ipv4: 2, ipv6: 18 } as const;

/** A flow as a packet has it, or with `original` as its first packet came in. */
export interface MarkedFlow {
  readonly family: Family;
  readonly original: boolean;
}

/** `add @marks { ip saddr . th sport . ip daddr . th dport : ct mark }`: what the map has stays. */
export function noteMark(map: string, flow: MarkedFlow): NftExpression[] {
  return changeMark("add", map, flow);
}

/** `delete @marks { ip saddr . th sport . ip daddr . th dport : ct mark }`, whatever the map has. */
export function forgetMark(map: string, flow: MarkedFlow): NftExpression[] {
  return changeMark("delete", map, flow);
}

function changeMark(operation: DynsetOperation, map: string, flow: MarkedFlow): NftExpression[] {
  const { family, original } = flow;
  const dataRegister = MARK_REGISTERS[family];
  return [
    ...(original ? loadOriginals(family) : loadFlow(family, "source")),
    { kind: "ct", direction: "load", key: "mark", register: dataRegister },
    { kind: "dynset", operation, set: map, register: REGISTER_1, dataRegister },
  ];
}

/**
 * `ct mark set ip saddr . th sport . ip daddr . th dport map @marks`; with `first` "destination" the
 * destination comes first. The rule ends where the map has nothing.
 */
export function recallMark(
  map: string,
  { family, first }: { family: Family; first: "source" | "destination" },
): NftExpression[] {
  return [
    ...loadFlow(family, first),
    { kind: "lookup", register: REGISTER_1, set: map, destination: REGISTER_1 },
    { kind: "ct", direction: "set", key: "mark", register: REGISTER_1 },
  ];
}
