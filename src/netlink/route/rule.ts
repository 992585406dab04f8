/**
 * Policy-routing rules: which routing table a packet is looked up in. The codec is pure.
 * @module
 */
import { type Family, formatPrefix, type Prefix } from "../../net/ip.ts";
import { type AttributeMap, AttributeWriter, LITTLE_ENDIAN } from "../attribute.ts";
import type { NetlinkConnection } from "../connection.ts";
import { NLM_F_CREATE, NLM_F_EXCL } from "../message.ts";
import {
  addressOf,
  familyNumber,
  familyOf,
  readRouteBody,
  routeRequest,
  RTM_DELRULE,
  RTM_GETRULE,
  RTM_NEWRULE,
} from "./message.ts";

/** sizeof(struct fib_rule_hdr): family, dst_len, src_len, tos, table, res1, res2, action (u8 each), flags (u32). */
const HEADER_SIZE = 12;
// linux/fib_rules.h
const FRA_DST = 1;
const FRA_SRC = 2;
const FRA_IIFNAME = 3;
const FRA_PRIORITY = 6;
const FRA_FWMARK = 10;
const FRA_TABLE = 15;
const FRA_FWMASK = 16;
const FRA_OIFNAME = 17;
const FRA_PROTOCOL = 21;
const FR_ACT_TO_TBL = 1;
const FIB_RULE_INVERT = 2;
/** What else a rule can ask for, which this shape does not hold: FRA_TUN_ID, _UID_RANGE, _IP_PROTO, _SPORT_RANGE, _DPORT_RANGE. */
const OTHER_SELECTORS = [12, 20, 22, 23, 24];

/** A rule that sends packets to a table. */
export interface RoutingRule {
  /** Address family. */
  readonly family: Family;
  /** Lower comes first. */
  readonly priority: number;
  /** 0 with mask 0: any mark. */
  readonly mark: number;
  /** Bits of the mark that count (FRA_FWMASK). */
  readonly mask: number;
  /** Routing table that it leads to (FRA_TABLE). */
  readonly table: number;
  /** Who made it: rtnetlink's protocol number. */
  readonly protocol: number;
  /** Incoming interface (FRA_IIFNAME). */
  readonly iifname?: string;
  /** Outgoing interface (FRA_OIFNAME). */
  readonly oifname?: string;
  /** FRA_SRC. */
  readonly from?: Prefix;
  /** FRA_DST. */
  readonly to?: Prefix;
  /** `ip rule add not …`. */
  readonly inverted?: boolean;
  /** The action, where it is not "look up the table": FR_ACT_*. */
  readonly action?: number;
  /** It has selectors that this program does not read (ports, user ids). Never written. */
  readonly hasOther?: boolean;
}

/** The body of RTM_NEWRULE and RTM_DELRULE. */
export function encodeRoutingRule(rule: RoutingRule): Uint8Array {
  const structure = new Uint8Array(HEADER_SIZE);
  structure[0] = familyNumber(rule.family);
  structure[1] = rule.to?.length ?? 0;
  structure[2] = rule.from?.length ?? 0;
  structure[4] = rule.table < 256 ? rule.table : 0;
  structure[7] = rule.action ?? FR_ACT_TO_TBL;
  if (rule.inverted) new DataView(structure.buffer).setUint32(8, FIB_RULE_INVERT, LITTLE_ENDIAN);
  const writer = new AttributeWriter().structure(structure);
  if (rule.from !== undefined) writer.bytes(FRA_SRC, rule.from.address.bytes);
  if (rule.to !== undefined) writer.bytes(FRA_DST, rule.to.address.bytes);
  writer.u32(FRA_PRIORITY, rule.priority);
  if (rule.mask !== 0) writer.u32(FRA_FWMARK, rule.mark).u32(FRA_FWMASK, rule.mask);
  if (rule.iifname !== undefined) writer.string(FRA_IIFNAME, rule.iifname);
  if (rule.oifname !== undefined) writer.string(FRA_OIFNAME, rule.oifname);
  if (rule.table >= 256) writer.u32(FRA_TABLE, rule.table);
  return writer.u8(FRA_PROTOCOL, rule.protocol).finish();
}

function optionalPrefix(bytes: Uint8Array | undefined, length: number): Prefix | undefined {
  return bytes === undefined ? undefined : { address: addressOf(bytes), length };
}

/** Reads the body of RTM_NEWRULE; undefined for families other than IP. */
export function decodeRoutingRule(body: Uint8Array): RoutingRule | undefined {
  const { structure, attributes } = readRouteBody(body, HEADER_SIZE);
  const family = familyOf(structure.getUint8(0));
  if (family === undefined) return undefined;
  const action = structure.getUint8(7);
  const mark = attributes.u32(FRA_FWMARK) ?? 0;
  return {
    family,
    priority: attributes.u32(FRA_PRIORITY) ?? 0,
    mark,
    mask: attributes.u32(FRA_FWMASK) ?? (mark === 0 ? 0 : 0xffffffff),
    table: attributes.u32(FRA_TABLE) ?? structure.getUint8(4),
    protocol: attributes.u8(FRA_PROTOCOL) ?? 0,
    ...decodeSelectors(structure, attributes),
    ...(action === FR_ACT_TO_TBL ? {} : { action }),
  };
}

function decodeSelectors(structure: DataView, attributes: AttributeMap): Partial<RoutingRule> {
  const iifname = attributes.string(FRA_IIFNAME);
  const oifname = attributes.string(FRA_OIFNAME);
  const to = optionalPrefix(attributes.bytes(FRA_DST), structure.getUint8(1));
  const from = optionalPrefix(attributes.bytes(FRA_SRC), structure.getUint8(2));
  const inverted = (structure.getUint32(8, LITTLE_ENDIAN) & FIB_RULE_INVERT) !== 0;
  const hasOther = structure.getUint8(3) !== 0 || OTHER_SELECTORS.some((type) => attributes.has(type));
  return {
    ...(iifname === undefined ? {} : { iifname }),
    ...(oifname === undefined ? {} : { oifname }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(inverted ? { inverted } : {}),
    ...(hasOther ? { hasOther } : {}),
  };
}

/** The rules of a family, in the order of evaluation. Equivalent to: ip rule show */
export function listRules(connection: NetlinkConnection, family: Family): RoutingRule[] {
  const header = new Uint8Array(HEADER_SIZE);
  header[0] = familyNumber(family);
  return connection.dump(routeRequest(RTM_GETRULE, header), {
    operation: "list routing rules",
    object: family,
  })
    .filter((message) => message.type === RTM_NEWRULE)
    .flatMap((message) => decodeRoutingRule(message.body) ?? [])
    .filter((rule) => rule.family === family);
}

/** Adds a rule; EEXIST if the same is there. Equivalent to: ip rule add priority 500 fwmark 1/1 iif lan0 lookup 100 protocol 50 */
export function addRule(connection: NetlinkConnection, rule: RoutingRule): void {
  connection.execute(routeRequest(RTM_NEWRULE, encodeRoutingRule(rule), NLM_F_CREATE | NLM_F_EXCL), {
    operation: "add routing rule",
    object: describeRule(rule),
  });
}

/** Deletes the first rule with all these properties. Equivalent to: ip rule delete priority 500 fwmark 1/1 iif lan0 lookup 100 protocol 50 */
export function deleteRule(connection: NetlinkConnection, rule: RoutingRule): void {
  connection.execute(routeRequest(RTM_DELRULE, encodeRoutingRule(rule)), {
    operation: "delete routing rule",
    object: describeRule(rule),
  });
}

/** `ipv4 priority 500 fwmark 0x1/0x1 iif lan0 lookup 100`. */
function describeRule(rule: RoutingRule): string {
  const parts = [rule.family, `priority ${rule.priority}`];
  if (rule.from !== undefined) parts.push(`from ${formatPrefix(rule.from)}`);
  if (rule.to !== undefined) parts.push(`to ${formatPrefix(rule.to)}`);
  if (rule.mask !== 0) parts.push(`fwmark 0x${rule.mark.toString(16)}/0x${rule.mask.toString(16)}`);
  if (rule.iifname !== undefined) parts.push(`iif ${rule.iifname}`);
  parts.push(`lookup ${rule.table}`);
  return parts.join(" ");
}
