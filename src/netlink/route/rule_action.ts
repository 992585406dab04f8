/**
 * The outcome of a routing rule: a table that the packet is looked up in, or something else. Pure.
 * @module
 */
import type { AttributeMap, AttributeWriter } from "../attribute.ts";
import { withoutAbsent } from "./message.ts";
import { type Realms, realmsNumber, realmsOf } from "./realms.ts";

// linux/fib_rules.h: offsets of struct fib_rule_hdr, attributes, FR_ACT_*
const TABLE = 4;
const ACTION = 7;
const FRA_GOTO = 4;
const FRA_FLOW = 11;
const FRA_SUPPRESS_IFGROUP = 13;
const FRA_SUPPRESS_PREFIXLEN = 14;
const FRA_TABLE = 15;
const FR_ACT_TO_TBL = 1;
/** The kernel's "none" of both suppressors: -1. */
const NO_SUPPRESSOR = 0xffffffff;

/** The attributes of {@linkcode RuleAction}. */
export const ACTION_ATTRIBUTES: readonly number[] = [
  FRA_GOTO,
  FRA_FLOW,
  FRA_SUPPRESS_IFGROUP,
  FRA_SUPPRESS_PREFIXLEN,
  FRA_TABLE,
];

/** The actions of a rule, FR_ACT_*, by number. */
export const RULE_ACTIONS = {
  lookup: 1,
  goto: 2,
  nop: 3,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
} as const;

/** Treatment of a packet that comes under a rule. */
export interface RuleAction {
  /** Routing table that it leads to (FRA_TABLE); 0 where it leads to none, or to that of a VRF. */
  readonly table: number;
  /** One of {@linkcode RULE_ACTIONS}, where it is not `lookup`. */
  readonly action?: number;
  /** Priority of the rule that comes next, with the action `goto` (FRA_GOTO). */
  readonly goto?: number;
  /** Routes of the table with so long a prefix, or a shorter one, do not count (FRA_SUPPRESS_PREFIXLEN). */
  readonly suppressPrefixLength?: number;
  /** Routes of the table by interfaces of this group do not count (FRA_SUPPRESS_IFGROUP). */
  readonly suppressInterfaceGroup?: number;
  /** FRA_FLOW. */
  readonly realms?: Realms;
}

/** Writes what is in the header. */
export function fillActionHeader(structure: Uint8Array, { table, action }: RuleAction): void {
  structure[TABLE] = table < 256 ? table : 0;
  structure[ACTION] = action ?? FR_ACT_TO_TBL;
}

/** Writes the attributes. */
export function writeAction(writer: AttributeWriter, action: RuleAction): void {
  const { suppressPrefixLength, suppressInterfaceGroup, realms } = action;
  if (realms !== undefined) writer.u32(FRA_FLOW, realmsNumber(realms));
  if (action.table >= 256) writer.u32(FRA_TABLE, action.table);
  if (action.goto !== undefined) writer.u32(FRA_GOTO, action.goto);
  if (suppressPrefixLength !== undefined) writer.u32(FRA_SUPPRESS_PREFIXLEN, suppressPrefixLength);
  if (suppressInterfaceGroup !== undefined) writer.u32(FRA_SUPPRESS_IFGROUP, suppressInterfaceGroup);
}

/** Reads the header and the attributes. */
export function readAction(structure: DataView, attributes: AttributeMap): RuleAction {
  const action = structure.getUint8(ACTION);
  const realms = attributes.u32(FRA_FLOW);
  return withoutAbsent<RuleAction>({
    table: attributes.u32(FRA_TABLE) ?? structure.getUint8(TABLE),
    action: action === FR_ACT_TO_TBL ? undefined : action,
    goto: attributes.u32(FRA_GOTO),
    suppressPrefixLength: suppressor(attributes.u32(FRA_SUPPRESS_PREFIXLEN)),
    suppressInterfaceGroup: suppressor(attributes.u32(FRA_SUPPRESS_IFGROUP)),
    realms: realms === undefined ? undefined : realmsOf(realms),
  });
}

function suppressor(value: number | undefined): number | undefined {
  return value === NO_SUPPRESSOR ? undefined : value;
}
