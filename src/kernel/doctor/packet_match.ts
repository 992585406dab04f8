/**
 * Whether a packet of which only some things are known matches a rule of nf_tables, of which only some expressions are
 * understood. Pure.
 * @module
 */
import { AttributeMap } from "../../netlink/attribute.ts";
import type { Verdict } from "../../netlink/nft/data.ts";
import type { NftElement } from "../../netlink/nft/element.ts";
import type { NftExpression } from "../../netlink/nft/expression.ts";
import { hostKey, ifnameKey, portKey } from "../../netlink/nft/set_type.ts";
import type { Family } from "../../net/ip.ts";
import { Registers } from "./registers.ts";

/** What is known of the packet; its addresses are not. */
export interface KnownPacket {
  readonly family: Family;
  readonly protocol: "tcp" | "udp";
  readonly iifname: string;
  readonly iif: number;
  /** The fwmark. */
  readonly mark: number;
  /** One of CT_STATE. */
  readonly ctState: number;
  /** Its TCP flags, if they are known. */
  readonly tcpFlags?: number;
  /** Its destination port, if it is known. */
  readonly destinationPort?: number;
}

/** A set as far as it is known. */
export interface KnownSet {
  readonly elements: readonly NftElement[];
  /** Its keys are the ends of ranges. */
  readonly interval: boolean;
}

/** Finds a set; undefined where it is not known. */
export type FindSet = (name: string) => KnownSet | undefined;

/** Whether the packet matches. Where that is not `sure`, `matches` is what is assumed. */
export interface Match {
  readonly sure: boolean;
  readonly matches: boolean;
}

/** A match, and what the rule does then; `others`: what else it may do, by a map whose key is not known. */
export interface RuleMatch extends Match {
  readonly verdict?: Verdict;
  readonly others?: readonly Verdict[];
}

const YES: Match = { sure: true, matches: true };
const NO: Match = { sure: true, matches: false };
const UNKNOWN: Match = { sure: false, matches: false };
const DROP: Verdict = { code: "drop" };

/** Expressions of other names do not end a rule, as far as they are known to this program. */
const PASSING = ["log", "objref", "dup", "last", "flow_offload"];
// linux/netfilter/nf_tables.h: enum nft_limit_attributes, nft_limit_flags
const NFTA_LIMIT_FLAGS = 5;
const NFT_LIMIT_F_INV = 1;
/** NFTA_MATCH_NAME, NFTA_TARGET_NAME */
const XTABLES_NAME = 1;

const PROTOCOL_NUMBERS = { tcp: 6, udp: 17 } as const;

/** Matches all expressions of a rule. */
export function matchRule(
  expressions: readonly NftExpression[],
  packet: KnownPacket,
  findSet: FindSet,
): RuleMatch {
  const registers = new Registers();
  let sure = true;
  let matches = true;
  const others: Verdict[] = [];
  for (const expression of expressions) {
    const step = matchExpression(expression, { packet, findSet, registers });
    if (step.sure && !step.matches) return NO;
    sure &&= step.sure;
    matches &&= step.matches;
    others.push(...step.others ?? []);
    if (step.verdict !== undefined) return { sure, matches, verdict: step.verdict, others };
  }
  return { sure, matches, others };
}

interface Context {
  readonly packet: KnownPacket;
  readonly findSet: FindSet;
  readonly registers: Registers;
}

function matchExpression(expression: NftExpression, context: Context): RuleMatch {
  const { registers, packet } = context;
  switch (expression.kind) {
    case "meta":
      if (expression.direction === "load") {
        registers.set(expression.register, readMeta(expression.key, packet));
      }
      return YES;
    case "ct":
      if (expression.direction === "set") return YES;
      if (expression.key !== "state") return UNKNOWN;
      registers.set(expression.register, hostKey(packet.ctState));
      return YES;
    case "payload":
      registers.set(expression.register, readPayload(expression, packet));
      return YES;
    case "fib": {
      // What is delivered to the proxy has a foreign address.
      const known = expression.result === "type" && expression.flags.join() === "daddr";
      registers.set(expression.register, known ? hostKey(1) : undefined); // RTN_UNICAST
      return YES;
    }
    case "immediate":
      registers.set(expression.register, expression.value);
      return YES;
    case "bitwise": {
      const value = registers.get(expression.source, expression.mask.length);
      const result = value?.map((byte, i) => (byte & expression.mask[i]) ^ expression.xor[i]);
      registers.set(expression.destination, result);
      return YES;
    }
    case "cmp": {
      const value = registers.get(expression.register, expression.value.length);
      if (value === undefined) return UNKNOWN;
      return decide(compares(compareBytes(value, expression.value), expression.operator));
    }
    case "lookup":
      return matchLookup(expression, context);
    case "reject":
      return { ...YES, verdict: DROP };
    case "verdict":
      return { ...YES, verdict: expression.verdict };
    case "unknown":
      registers.clear();
      return matchUnknown(expression);
    case "socket":
    case "range":
      return UNKNOWN;
    case "counter":
    case "notrack":
    case "masquerade":
    case "tproxy":
      return YES;
  }
}

function decide(matches: boolean): Match {
  return matches ? YES : NO;
}

function matchLookup(
  expression: Extract<NftExpression, { kind: "lookup" }>,
  { findSet, registers }: Context,
): RuleMatch {
  const set = findSet(expression.set);
  const isMap = expression.destination !== undefined;
  if (isMap && expression.destination !== 0) registers.set(expression.destination!, undefined);
  if (set === undefined) return UNKNOWN;
  const length = set.elements[0]?.key.length ?? 0;
  const key = registers.get(expression.register, length);
  const ranged = set.elements.some(({ keyEnd }) => keyEnd !== undefined); // of a concatenation
  if (key === undefined || ranged) return { ...UNKNOWN, ...isMap ? { others: listVerdicts(set) } : {} };
  const element = findElement(set, key);
  if (!isMap) return decide((element !== undefined) !== (expression.inverted === true));
  const value = element?.value;
  if (value === undefined || value instanceof Uint8Array) return decide(element !== undefined);
  return { ...YES, verdict: value };
}

function listVerdicts({ elements }: KnownSet): Verdict[] {
  return elements.flatMap(({ value }) => value === undefined || value instanceof Uint8Array ? [] : [value]);
}

/** The element of a key: in a set with ranges, the one with the highest key up to it, unless a range ends there. */
function findElement({ elements, interval }: KnownSet, key: Uint8Array): NftElement | undefined {
  if (!interval) return elements.find((element) => compareBytes(key, element.key) === 0);
  const below = elements.filter((element) => compareBytes(element.key, key) <= 0);
  const nearest = below.toSorted((a, b) => compareBytes(a.key, b.key)).at(-1);
  return nearest?.intervalEnd ? undefined : nearest;
}

/** The expressions of other programs, iptables-nft among them. */
function matchUnknown({ name, data }: Extract<NftExpression, { kind: "unknown" }>): RuleMatch {
  if (PASSING.includes(name)) return YES;
  if (name === "dynset") return { sure: false, matches: true };
  if (name === "limit") {
    const inverted = ((readAttributes(data)?.u32be(NFTA_LIMIT_FLAGS) ?? 0) & NFT_LIMIT_F_INV) !== 0;
    return { sure: false, matches: !inverted }; // it is not reached, usually
  }
  const extension = readAttributes(data)?.string(XTABLES_NAME);
  if (name === "match" && extension === "comment") return YES;
  if (name !== "target") return UNKNOWN;
  return extension === "REJECT" ? { ...YES, verdict: DROP } : YES;
}

function readAttributes(data: Uint8Array): AttributeMap | undefined {
  try {
    return new AttributeMap(data);
  } catch {
    return undefined;
  }
}

function readMeta(key: string, packet: KnownPacket): Uint8Array | undefined {
  switch (key) {
    case "iifname":
      return ifnameKey(packet.iifname);
    case "iif":
      return hostKey(packet.iif);
    case "mark":
      return hostKey(packet.mark);
    case "nfproto":
      return Uint8Array.of(packet.family === "ipv4" ? 2 : 10);
    case "protocol":
      return packet.family === "ipv4" ? Uint8Array.of(0x08, 0x00) : Uint8Array.of(0x86, 0xdd);
    case "l4proto":
      return Uint8Array.of(PROTOCOL_NUMBERS[packet.protocol]);
    case "pkttype":
      return Uint8Array.of(0); // PACKET_HOST
    default:
      return undefined;
  }
}

/** Of the packet's bytes the protocol is known, and perhaps the destination port and the flags of TCP. */
function readPayload(
  { base, offset, length }: Extract<NftExpression, { kind: "payload" }>,
  packet: KnownPacket,
): Uint8Array | undefined {
  if (base === "transport" && offset === 2 && length === 2 && packet.destinationPort !== undefined) {
    return portKey(packet.destinationPort);
  }
  if (length !== 1) return undefined;
  if (base === "network" && offset === (packet.family === "ipv4" ? 9 : 6)) {
    return Uint8Array.of(PROTOCOL_NUMBERS[packet.protocol]);
  }
  const isFlags = base === "transport" && offset === 13 && packet.protocol === "tcp";
  return isFlags && packet.tcpFlags !== undefined ? Uint8Array.of(packet.tcpFlags) : undefined;
}

/** As memcmp(3): of bytes that are as long as the second. */
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const at = b.findIndex((byte, i) => byte !== a[i]);
  return at < 0 ? 0 : a[at] - b[at];
}

function compares(order: number, operator: string): boolean {
  switch (operator) {
    case "eq":
      return order === 0;
    case "neq":
      return order !== 0;
    case "lt":
      return order < 0;
    case "lte":
      return order <= 0;
    case "gt":
      return order > 0;
    default:
      return order >= 0;
  }
}
