/** `dynset`: puts what registers hold into a set or a map, as a packet passes. @module */
import { type AttributeMap, AttributeWriter } from "../../attribute.ts";
import { Names } from "../../names.ts";
import { required } from "../data.ts";
import type { Codec } from "./codec.ts";

/** `update` gives an element that is there its whole time again. */
export type DynsetOperation = "add" | "update" | "delete";

// linux/netfilter/nf_tables.h: enum nft_dynset_ops, enum nft_dynset_attributes
const OPERATIONS = new Names<DynsetOperation>("dynset operation", { add: 0, update: 1, delete: 2 });
const NFTA_DYNSET_SET_NAME = 1;
const NFTA_DYNSET_SET_ID = 2;
const NFTA_DYNSET_OP = 3;
const NFTA_DYNSET_SREG_KEY = 4;
const NFTA_DYNSET_SREG_DATA = 5;
const NFTA_DYNSET_TIMEOUT = 6;
const NFTA_DYNSET_EXPR = 7;
const NFTA_DYNSET_EXPRESSIONS = 10;

/** `[ dynset update reg_key 1 set served ]`. */
export interface DynsetExpression {
  /** Tells the expressions apart. */
  readonly kind: "dynset";
  /** Operation on the set (NFTA_DYNSET_OP). */
  readonly operation: DynsetOperation;
  /** Name of the set. */
  readonly set: string;
  /** The set's id in the batch that makes it. The kernel does not tell it again. */
  readonly setId?: number;
  /** Register of the key (NFTA_DYNSET_SREG_KEY). */
  readonly register: number;
  /** Register of what a map is to hold for it (NFTA_DYNSET_SREG_DATA). */
  readonly dataRegister?: number;
  /** Milliseconds that the element lasts, if not as long as the set says (NFTA_DYNSET_TIMEOUT). */
  readonly timeoutMs?: number;
}

/** The attributes of the expression. */
function encode(expression: DynsetExpression): Uint8Array {
  const { register, dataRegister, operation } = expression;
  const writer = new AttributeWriter().u32be(NFTA_DYNSET_SREG_KEY, register);
  if (dataRegister !== undefined) writer.u32be(NFTA_DYNSET_SREG_DATA, dataRegister);
  writer.u32be(NFTA_DYNSET_OP, OPERATIONS.number(operation));
  if (expression.timeoutMs !== undefined) writer.u64be(NFTA_DYNSET_TIMEOUT, BigInt(expression.timeoutMs));
  writer.string(NFTA_DYNSET_SET_NAME, expression.set);
  if (expression.setId !== undefined) writer.u32be(NFTA_DYNSET_SET_ID, expression.setId);
  return writer.finish();
}

/** The inverse of {@linkcode encode}. Expressions of elements throw a RangeError. */
function decode(data: AttributeMap): DynsetExpression {
  for (const type of [NFTA_DYNSET_EXPR, NFTA_DYNSET_EXPRESSIONS]) {
    if (data.has(type)) throw new RangeError("Cannot decode dynset with expressions");
  }
  const dataRegister = data.u32be(NFTA_DYNSET_SREG_DATA);
  const setId = data.u32be(NFTA_DYNSET_SET_ID);
  const timeout = Number(data.u64be(NFTA_DYNSET_TIMEOUT) ?? 0n); // a dump has 0 for none
  return {
    kind: "dynset",
    operation: OPERATIONS.name(data.u32be(NFTA_DYNSET_OP)),
    set: required(data.string(NFTA_DYNSET_SET_NAME), "NFTA_DYNSET_SET_NAME"),
    register: required(data.u32be(NFTA_DYNSET_SREG_KEY), "NFTA_DYNSET_SREG_KEY"),
    ...(dataRegister === undefined ? {} : { dataRegister }),
    ...(setId === undefined ? {} : { setId }),
    ...(timeout === 0 ? {} : { timeoutMs: timeout }),
  };
}

/** Codec of `dynset`. */
export const dynset: Codec<DynsetExpression> = { name: "dynset", kinds: ["dynset"], encode, decode };
