/** `cmp`: compares a register with a value; the rule ends where it does not hold. @module */
import { type AttributeMap, AttributeWriter } from "../../attribute.ts";
import { Names } from "../../names.ts";
import { readValue, required, writeValue } from "../data.ts";
import type { Codec } from "./codec.ts";

/** A relation between a register and a value. */
export type CmpOperator = "eq" | "neq" | "lt" | "lte" | "gt" | "gte";

// linux/netfilter/nf_tables.h: enum nft_cmp_ops, enum nft_cmp_attributes
const OPERATORS = new Names<CmpOperator>("cmp operator", { eq: 0, neq: 1, lt: 2, lte: 3, gt: 4, gte: 5 });
const NFTA_CMP_SREG = 1;
const NFTA_CMP_OP = 2;
const NFTA_CMP_DATA = 3;

/** `[ cmp eq reg 1 0x00000006 ]`. `value` is in the byte order of what was loaded. */
export interface CmpExpression {
  /** Tells the expressions apart. */
  readonly kind: "cmp";
  /** NFTA_CMP_OP. */
  readonly operator: CmpOperator;
  /** Register that it reads or writes. */
  readonly register: number;
  /** In the byte order of what was loaded (NFTA_CMP_DATA). */
  readonly value: Uint8Array;
}

/** The attributes of the expression. */
function encode(expression: CmpExpression): Uint8Array {
  const writer = new AttributeWriter()
    .u32be(NFTA_CMP_SREG, expression.register)
    .u32be(NFTA_CMP_OP, OPERATORS.number(expression.operator));
  writeValue(writer, NFTA_CMP_DATA, expression.value);
  return writer.finish();
}

/** The inverse of {@linkcode encode}. */
function decode(data: AttributeMap): CmpExpression {
  return {
    kind: "cmp",
    operator: OPERATORS.name(data.u32be(NFTA_CMP_OP)),
    register: required(data.u32be(NFTA_CMP_SREG), "NFTA_CMP_SREG"),
    value: readValue(data.bytes(NFTA_CMP_DATA)),
  };
}

/** Codec of `cmp`. */
export const cmp: Codec<CmpExpression> = { name: "cmp", kinds: ["cmp"], encode, decode };
