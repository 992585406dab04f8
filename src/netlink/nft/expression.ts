/**
 * Rule expressions: the kernel's small instructions, one file each in expr/. Pure.
 * @module
 */
import { AttributeMap, AttributeWriter, readAttributes } from "../attribute.ts";
import { required } from "./data.ts";
import { bitwise, type BitwiseExpression } from "./expr/bitwise.ts";
import { cmp, type CmpExpression } from "./expr/cmp.ts";
import { counter, type CounterExpression } from "./expr/counter.ts";
import { ct, type CtExpression } from "./expr/ct.ts";
import { dynset, type DynsetExpression } from "./expr/dynset.ts";
import { fib, type FibExpression } from "./expr/fib.ts";
import { immediate, type ImmediateExpression, type VerdictExpression } from "./expr/immediate.ts";
import { log, type LogExpression } from "./expr/log.ts";
import { lookup, type LookupExpression } from "./expr/lookup.ts";
import { masquerade, type MasqueradeExpression } from "./expr/masquerade.ts";
import { meta, type MetaExpression } from "./expr/meta.ts";
import { nat, type NatExpression } from "./expr/nat.ts";
import { notrack, type NotrackExpression } from "./expr/notrack.ts";
import { payload, type PayloadExpression, type PayloadWriteExpression } from "./expr/payload.ts";
import { queue, type QueueExpression } from "./expr/queue.ts";
import { range, type RangeExpression } from "./expr/range.ts";
import { reject, type RejectExpression } from "./expr/reject.ts";
import { socket, type SocketExpression } from "./expr/socket.ts";
import { tcpOption, type TcpOptionExpression, type TcpOptionResetExpression } from "./expr/tcp_option.ts";
import { tproxy, type TproxyExpression } from "./expr/tproxy.ts";
import type { Codec } from "./expr/codec.ts";

/** An expression that this program does not know, as it was read. It is written back unchanged. */
export interface UnknownExpression {
  /** Tells the expressions apart. */
  readonly kind: "unknown";
  /** The kernel's name of it, `"limit"`. */
  readonly name: string;
  /** NFTA_EXPR_DATA, as it was read. */
  readonly data: Uint8Array;
}

/** All expressions that this program knows. */
const CODECS = [
  bitwise,
  cmp,
  counter,
  ct,
  dynset,
  fib,
  immediate,
  log,
  lookup,
  masquerade,
  meta,
  nat,
  notrack,
  payload,
  queue,
  range,
  reject,
  socket,
  tcpOption,
  tproxy,
] as const;

/** One instruction of a rule. */
export type NftExpression =
  | BitwiseExpression
  | CmpExpression
  | CounterExpression
  | CtExpression
  | DynsetExpression
  | FibExpression
  | ImmediateExpression
  | LogExpression
  | LookupExpression
  | MasqueradeExpression
  | MetaExpression
  | NatExpression
  | NotrackExpression
  | PayloadExpression
  | PayloadWriteExpression
  | QueueExpression
  | RangeExpression
  | RejectExpression
  | SocketExpression
  | TcpOptionExpression
  | TcpOptionResetExpression
  | TproxyExpression
  | UnknownExpression
  | VerdictExpression;

/** Expressions that the codecs of the list read and write: {@linkcode NftExpression} has the same but one. */
type KnownExpression = ReturnType<(typeof CODECS)[number]["decode"]>;

// linux/netfilter/nf_tables.h: enum nft_list_attributes, enum nft_expr_attributes
const NFTA_LIST_ELEM = 1;
const NFTA_EXPR_NAME = 1;
const NFTA_EXPR_DATA = 2;

type AnyCodec = Codec<KnownExpression>;
const BY_NAME: ReadonlyMap<string, AnyCodec> = new Map(CODECS.map((codec) => [codec.name, codec]));
const BY_KIND: ReadonlyMap<string, AnyCodec> = new Map(
  CODECS.flatMap((codec: AnyCodec) => codec.kinds.map((kind) => [kind, codec])),
);

/** Finds the codec of an expression that this program knows. */
function codecOf(expression: KnownExpression): AnyCodec {
  const codec = BY_KIND.get(expression.kind);
  if (codec === undefined) {
    throw new TypeError(`There is no codec for expressions of kind "${expression.kind}"`);
  }
  return codec;
}

/** The kernel's name of an expression: `"immediate"` for verdicts too. */
export function expressionName(expression: NftExpression): string {
  return expression.kind === "unknown" ? expression.name : codecOf(expression).name;
}

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
        const data = expression.kind === "unknown" ? expression.data : codecOf(expression).encode(expression);
        if (data !== undefined) element.nest(NFTA_EXPR_DATA, (nest) => nest.structure(data));
      });
    }
  });
}

/**
 * Reads a list of expressions. One that this program does not know becomes an {@linkcode UnknownExpression}.
 */
export function readExpressions(data: Uint8Array): NftExpression[] {
  return readAttributes(data).map((element) => {
    const attributes = new AttributeMap(element.data);
    const name = required(attributes.string(NFTA_EXPR_NAME), "NFTA_EXPR_NAME");
    return decodeExpression(name, attributes.bytes(NFTA_EXPR_DATA) ?? new Uint8Array(0));
  });
}

function decodeExpression(name: string, data: Uint8Array): NftExpression {
  try {
    const codec = BY_NAME.get(name);
    if (codec !== undefined) return codec.decode(new AttributeMap(data));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return { kind: "unknown", name, data: data.slice() };
}
