/**
 * Matching of a packet, only parts of which are known, with a rule of nf_tables, of which only some
 * expressions are understood. Pure.
 * @module
 */
import type { Verdict } from "../../netlink/nft/data.ts";
import type { NftExpression, UnknownExpression } from "../../netlink/nft/expression.ts";
import { type KnownPacket, readConntrack, readFib, readMeta, readPayload } from "./known_packet.ts";
import { type FindSet, listVerdicts, type LookedUp, lookUp } from "./known_set.ts";
import { type Answer, equals, maskAndFlip, order, type PartialBytes, whole } from "./partial.ts";
import { Registers } from "./registers.ts";
import { markByTarget, readNat, readTarget, readUnread, type Translation } from "./translation.ts";
import { matchXtables } from "./xtables_match.ts";
import { attributesOf, readXtablesPart } from "./xtables_part.ts";

/** Limits of rules: of rate, of connections, of how often somebody has come. */
export type Limits = "unreached" | "exceeded";

/** The answer whether the packet matches. Where that is not `sure`, `matches` is what is assumed. */
export interface PacketMatch {
  readonly sure: boolean;
  readonly matches: boolean;
}

/** A match, and what the rule does then; `others`: what else it may do, by a map whose key is not known. */
export interface RuleMatch extends PacketMatch {
  readonly verdict?: Verdict;
  readonly others?: readonly Verdict[];
  /** The fwmark that it gives the packet. */
  readonly mark?: PartialBytes;
  /** The addresses that it gives the flow. */
  readonly translation?: Translation;
}

/** All that a match goes by. */
export interface MatchContext {
  readonly packet: KnownPacket;
  readonly findSet: FindSet;
  readonly limits: Limits;
}

const YES: PacketMatch = { sure: true, matches: true };
const NO: PacketMatch = { sure: true, matches: false };
const UNKNOWN: PacketMatch = { sure: false, matches: false };
const DROP: Verdict = { code: "drop" };
const ACCEPT: Verdict = { code: "accept" };

/** Expressions of other names do not end a rule, as far as they are known to this program. */
const PASSING = ["log", "objref", "dup", "last", "flow_offload"];
/** Targets of iptables that end a packet's way; TPROXY drops what nobody listens for. */
const REFUSING = ["REJECT", "DROP", "TPROXY"];
// linux/netfilter/nf_tables.h: enum nft_limit_attributes, nft_connlimit_attributes; NFT_LIMIT_F_INV,
// NFT_CONNLIMIT_F_INV; enum nft_dynset_attributes
const FLAGS_OF: Readonly<Record<string, number>> = { limit: 5, connlimit: 2 };
const INVERTED = 1;
const NFTA_DYNSET_EXPR = 7;
const NFTA_EXPR_NAME = 1;
const NFTA_EXPR_DATA = 2;

/** Matches all expressions of a rule. */
export function matchRule(expressions: readonly NftExpression[], context: MatchContext): RuleMatch {
  const registers = new Registers();
  let sure = true;
  let matches = true;
  const others: Verdict[] = [];
  let changes: Pick<RuleMatch, "mark" | "translation"> = {};
  for (const expression of expressions) {
    const step = matchExpression(expression, registers, context);
    if (step.sure && !step.matches) return NO;
    sure &&= step.sure;
    matches &&= step.matches;
    others.push(...step.others ?? []);
    if (step.mark !== undefined) changes = { ...changes, mark: step.mark };
    if (step.translation !== undefined) changes = { ...changes, translation: step.translation };
    if (step.verdict !== undefined) return { sure, matches, verdict: step.verdict, others, ...changes };
  }
  return { sure, matches, others, ...changes };
}

function matchExpression(expression: NftExpression, registers: Registers, context: MatchContext): RuleMatch {
  const { packet } = context;
  switch (expression.kind) {
    case "meta": {
      if (expression.direction === "set") {
        return expression.key === "mark" ? { ...YES, mark: registers.get(expression.register, 4) } : YES;
      }
      const value = readMeta(expression.key, packet);
      if (value === "absent") return NO;
      registers.set(expression.register, value);
      return YES;
    }
    case "ct":
      if (expression.direction === "set") return YES;
      registers.set(expression.register, readConntrack(expression.key, packet));
      return YES;
    case "payload":
      registers.set(expression.register, readPayload(expression, packet));
      return YES;
    case "fib":
      registers.set(expression.register, readFib(expression, packet));
      return YES;
    case "immediate":
      registers.set(expression.register, whole(expression.value));
      return YES;
    case "bitwise": {
      const { source, destination, mask, xor } = expression;
      registers.set(destination, maskAndFlip(registers.get(source, mask.length), mask, xor));
      return YES;
    }
    case "cmp":
      return fromAnswer(compare(expression, registers));
    case "range":
      return fromAnswer(isBetween(expression, registers));
    case "lookup":
      return matchLookup(expression, registers, context.findSet);
    case "reject":
      return { ...YES, verdict: DROP };
    case "verdict":
      return { ...YES, verdict: expression.verdict };
    case "unknown":
      return matchUnknown(expression, registers, context);
    case "socket":
      if (packet.hasSocket === false) return NO;
      registers.set(expression.register, undefined);
      return YES;
    case "tcp-option":
      registers.set(expression.register, undefined);
      return YES;
    case "counter":
    case "dynset":
    case "log":
    case "payload-write":
    case "notrack":
    case "tcp-option-reset":
      return YES;
    case "nat":
      return { ...YES, verdict: ACCEPT, translation: readNat(expression, registers) };
    case "masquerade":
      return { ...YES, verdict: ACCEPT, translation: { end: "source", how: "masquerade" } };
    case "queue":
      return UNKNOWN; // a program decides
    case "tproxy":
      // Where nobody listens, the rule ends; else the packet is taken.
      return { sure: false, matches: true, verdict: DROP };
  }
}

function fromAnswer(answer: Answer): PacketMatch {
  return answer === "yes" ? YES : answer === "no" ? NO : UNKNOWN;
}

function negate(answer: Answer): Answer {
  return answer === "yes" ? "no" : answer === "no" ? "yes" : "unknown";
}

function compare(
  { register, operator, value }: Extract<NftExpression, { kind: "cmp" }>,
  registers: Registers,
): Answer {
  const held = registers.get(register, value.length);
  if (operator === "eq") return equals(held, value);
  if (operator === "neq") return negate(equals(held, value));
  const difference = order(held, value);
  if (difference === undefined) return "unknown";
  const holds = { lt: difference < 0, lte: difference <= 0, gt: difference > 0, gte: difference >= 0 };
  return holds[operator] ? "yes" : "no";
}

function isBetween(
  { register, operator, from, to }: Extract<NftExpression, { kind: "range" }>,
  registers: Registers,
): Answer {
  const held: PartialBytes = registers.get(register, from.length);
  const [low, high] = [order(held, from), order(held, to)];
  const below = low !== undefined && low < 0 || high !== undefined && high > 0;
  const answer = below ? "no" : low === undefined || high === undefined ? "unknown" : "yes";
  return operator === "eq" ? answer : negate(answer);
}

function matchLookup(
  expression: Extract<NftExpression, { kind: "lookup" }>,
  registers: Registers,
  findSet: FindSet,
): RuleMatch {
  const set = findSet(expression.set);
  const isMap = expression.destination !== undefined;
  const found: LookedUp = set === undefined
    ? { answer: "unknown" }
    : lookUp(set, (length) => registers.get(expression.register, length));
  if (isMap && expression.destination !== 0) registers.set(expression.destination!, undefined);
  if (found.answer === "unknown") {
    if (!isMap) return UNKNOWN;
    // What an unknown map leads to could be anything; that it accepts is what matters.
    return { ...UNKNOWN, others: set === undefined ? [ACCEPT] : listVerdicts(set) };
  }
  if (!isMap) return fromAnswer(expression.inverted === true ? negate(found.answer) : found.answer);
  if (found.value === undefined || found.value instanceof Uint8Array) return fromAnswer(found.answer);
  return { ...YES, verdict: found.value };
}

/** The expressions of other programs, iptables-nft among them. */
function matchUnknown(
  expression: UnknownExpression,
  registers: Registers,
  { packet, limits }: MatchContext,
): RuleMatch {
  const { name } = expression;
  if (PASSING.includes(name)) return YES;
  const limit = readLimit(expression);
  if (limit !== undefined) return underLimit(limit, limits);
  if (name === "dynset") return YES;
  registers.clear();
  const target = readXtablesPart(expression, "target");
  if (target !== undefined) {
    if (REFUSING.includes(target.name)) return { ...YES, verdict: DROP };
    const translation = readTarget(target, packet.family);
    const mark = translation === undefined ? markByTarget(target, packet.mark) : undefined;
    return translation === undefined
      ? mark === undefined ? YES : { ...YES, mark }
      : { ...YES, verdict: ACCEPT, translation };
  }
  const unread = readUnread(name, expression);
  if (unread !== undefined) return { ...YES, verdict: ACCEPT, translation: unread };
  const match = readXtablesPart(expression, "match");
  if (match === undefined) return UNKNOWN;
  const answer = matchXtables(match, packet);
  return answer === "limited" || answer === "over" ? underLimit(answer, limits) : fromAnswer(answer);
}

/** A limit is reached or not by what else comes: that is never sure. */
function underLimit(kind: "limited" | "over", limits: Limits): PacketMatch {
  return { sure: false, matches: (kind === "limited") === (limits === "unreached") };
}

/** Reads `limit`, `ct count`, and `add @set { … limit }`; undefined where it is none of them. */
function readLimit(expression: UnknownExpression): "limited" | "over" | undefined {
  if (expression.name === "dynset") {
    const nested = attributesOf(expression)?.nested(NFTA_DYNSET_EXPR);
    const name = nested?.string(NFTA_EXPR_NAME);
    const data = nested?.bytes(NFTA_EXPR_DATA);
    return name === undefined || data === undefined ? undefined : readLimit({ kind: "unknown", name, data });
  }
  const flags = FLAGS_OF[expression.name];
  if (flags === undefined) return undefined;
  return ((attributesOf(expression)?.u32be(flags) ?? 0) & INVERTED) !== 0 ? "over" : "limited";
}
