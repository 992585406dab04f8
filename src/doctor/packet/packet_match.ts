/**
 * Matching of a packet, only parts of which are known, with a rule of nf_tables, of which only some
 * expressions are understood. Pure.
 * @module
 */
import { AttributeMap } from "../../netlink/attribute.ts";
import type { Verdict } from "../../netlink/nft/data.ts";
import type { NftElement } from "../../netlink/nft/sets/element.ts";
import type { NftExpression } from "../../netlink/nft/expression.ts";
import { hostKey } from "../../netlink/nft/sets/set_type.ts";
import { type KnownPacket, readMeta, readPayload } from "./known_packet.ts";
import { Registers } from "./registers.ts";

/** A set as far as it is known. */
export interface KnownSet {
  readonly elements: readonly NftElement[];
  /** Its keys are the ends of ranges. */
  readonly interval: boolean;
}

/** Finds a set; undefined where it is not known. */
export type FindSet = (name: string) => KnownSet | undefined;

/** The answer whether the packet matches. Where that is not `sure`, `matches` is what is assumed. */
export interface PacketMatch {
  readonly sure: boolean;
  readonly matches: boolean;
}

/** A match, and what the rule does then; `others`: what else it may do, by a map whose key is not known. */
export interface RuleMatch extends PacketMatch {
  readonly verdict?: Verdict;
  readonly others?: readonly Verdict[];
}

const YES: PacketMatch = { sure: true, matches: true };
const NO: PacketMatch = { sure: true, matches: false };
const UNKNOWN: PacketMatch = { sure: false, matches: false };
const DROP: Verdict = { code: "drop" };
const ACCEPT: Verdict = { code: "accept" };

/** Expressions of other names do not end a rule, as far as they are known to this program. */
const PASSING = ["log", "objref", "dup", "last", "flow_offload"];
// linux/netfilter/nf_tables.h: enum nft_limit_attributes, nft_limit_flags
const NFTA_LIMIT_FLAGS = 5;
const NFT_LIMIT_F_INV = 1;
/** NFTA_MATCH_NAME, NFTA_TARGET_NAME */
const XTABLES_NAME = 1;

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
    case "dynset":
    case "notrack":
    case "masquerade":
    case "tproxy":
      return YES;
  }
}

function decide(matches: boolean): PacketMatch {
  return matches ? YES : NO;
}

function matchLookup(
  expression: Extract<NftExpression, { kind: "lookup" }>,
  { findSet, registers }: Context,
): RuleMatch {
  const set = findSet(expression.set);
  const isMap = expression.destination !== undefined;
  if (isMap && expression.destination !== 0) registers.set(expression.destination!, undefined);
  // What an unknown map leads to could be anything; that it accepts is what matters.
  if (set === undefined) return { ...UNKNOWN, ...expression.destination === 0 ? { others: [ACCEPT] } : {} };
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

/**
 * The element of a key: in a set with ranges, the one with the highest key up to it, unless a range ends
 * there.
 */
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

/** Compares like memcmp(3), bytes that are as long as the second. */
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
