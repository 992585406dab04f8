/**
 * Rule expressions: the kernel's small instructions, one file each in expr/. Pure.
 * @module
 */
import { AttributeMap, AttributeWriter, readAttributes } from "../attribute.ts";
import { required } from "./data.ts";
import { type BitwiseExpression, decodeBitwise, encodeBitwise } from "./expr/bitwise.ts";
import { type CmpExpression, decodeCmp, encodeCmp } from "./expr/cmp.ts";
import { type CounterExpression, decodeCounter, encodeCounter } from "./expr/counter.ts";
import { type CtExpression, decodeCt, encodeCt } from "./expr/ct.ts";
import { decodeDynset, type DynsetExpression, encodeDynset } from "./expr/dynset.ts";
import { decodeFib, encodeFib, type FibExpression } from "./expr/fib.ts";
import {
  decodeImmediate,
  encodeImmediate,
  type ImmediateExpression,
  type VerdictExpression,
} from "./expr/immediate.ts";
import { decodeLookup, encodeLookup, type LookupExpression } from "./expr/lookup.ts";
import type { MasqueradeExpression } from "./expr/masquerade.ts";
import { decodeMeta, encodeMeta, type MetaExpression } from "./expr/meta.ts";
import type { NotrackExpression } from "./expr/notrack.ts";
import { decodePayload, encodePayload, type PayloadExpression } from "./expr/payload.ts";
import { decodeRange, encodeRange, type RangeExpression } from "./expr/range.ts";
import { decodeReject, encodeReject, type RejectExpression } from "./expr/reject.ts";
import { decodeSocket, encodeSocket, type SocketExpression } from "./expr/socket.ts";
import { decodeTproxy, encodeTproxy, type TproxyExpression } from "./expr/tproxy.ts";

/** An expression that this program does not know, as it was read. It is written back unchanged. */
export interface UnknownExpression {
  /** Tells the expressions apart. */
  readonly kind: "unknown";
  /** The kernel's name of it, `"limit"`. */
  readonly name: string;
  /** NFTA_EXPR_DATA, as it was read. */
  readonly data: Uint8Array;
}

/** One instruction of a rule. */
export type NftExpression =
  | BitwiseExpression
  | CmpExpression
  | CounterExpression
  | CtExpression
  | DynsetExpression
  | FibExpression
  | ImmediateExpression
  | LookupExpression
  | MasqueradeExpression
  | MetaExpression
  | NotrackExpression
  | PayloadExpression
  | RangeExpression
  | RejectExpression
  | SocketExpression
  | TproxyExpression
  | UnknownExpression
  | VerdictExpression;

// linux/netfilter/nf_tables.h: enum nft_list_attributes, enum nft_expr_attributes
const NFTA_LIST_ELEM = 1;
const NFTA_EXPR_NAME = 1;
const NFTA_EXPR_DATA = 2;

/** The kernel's name of an expression: `"immediate"` for verdicts too. */
export function expressionName(expression: NftExpression): string {
  if (expression.kind === "unknown") return expression.name;
  if (expression.kind === "verdict") return "immediate";
  return expression.kind === "masquerade" ? "masq" : expression.kind;
}

/** The attributes of an expression; undefined where it has none at all. */
function encodeData(expression: NftExpression): Uint8Array | undefined {
  switch (expression.kind) {
    case "bitwise":
      return encodeBitwise(expression);
    case "cmp":
      return encodeCmp(expression);
    case "counter":
      return encodeCounter(expression);
    case "ct":
      return encodeCt(expression);
    case "dynset":
      return encodeDynset(expression);
    case "fib":
      return encodeFib(expression);
    case "immediate":
    case "verdict":
      return encodeImmediate(expression);
    case "lookup":
      return encodeLookup(expression);
    case "meta":
      return encodeMeta(expression);
    case "payload":
      return encodePayload(expression);
    case "range":
      return encodeRange(expression);
    case "reject":
      return encodeReject(expression);
    case "socket":
      return encodeSocket(expression);
    case "tproxy":
      return encodeTproxy(expression);
    case "masquerade":
      return new Uint8Array(0);
    case "notrack":
      return undefined;
    case "unknown":
      return expression.data;
  }
}

const DECODERS: Readonly<Record<string, (data: AttributeMap) => NftExpression>> = {
  bitwise: decodeBitwise,
  cmp: decodeCmp,
  counter: decodeCounter,
  ct: decodeCt,
  dynset: decodeDynset,
  fib: decodeFib,
  immediate: decodeImmediate,
  lookup: decodeLookup,
  meta: decodeMeta,
  payload: decodePayload,
  range: decodeRange,
  reject: decodeReject,
  socket: decodeSocket,
  tproxy: decodeTproxy,
  notrack: () => ({ kind: "notrack" }),
};

/** Writes a list of expressions as a nest of type `type`. */
export function writeExpressions(
  writer: AttributeWriter,
  type: number,
  expressions: readonly NftExpression[],
): void {
  writer.nest(type, (list) => {
    for (const expression of expressions) {
      list.nest(NFTA_LIST_ELEM, (element) => {
        element.string(NFTA_EXPR_NAME, expressionName(expression));
        const data = encodeData(expression);
        if (data !== undefined) element.nest(NFTA_EXPR_DATA, (nest) => nest.structure(data));
      });
    }
  });
}

/** Reads a list of expressions. What this program cannot read becomes an {@linkcode UnknownExpression}. */
export function readExpressions(data: Uint8Array): NftExpression[] {
  return readAttributes(data).map((element) => {
    const attributes = new AttributeMap(element.data);
    const name = required(attributes.string(NFTA_EXPR_NAME), "NFTA_EXPR_NAME");
    return decodeExpression(name, attributes.bytes(NFTA_EXPR_DATA) ?? new Uint8Array(0));
  });
}

function decodeExpression(name: string, data: Uint8Array): NftExpression {
  if (name === "masq" && data.length === 0) return { kind: "masquerade" };
  try {
    const decoder = DECODERS[name];
    if (decoder !== undefined) return decoder(new AttributeMap(data));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return { kind: "unknown", name, data: data.slice() };
}
