/** `range`: whether a register lies in a range, or outside of it. @module */
import { type AttributeMap, AttributeWriter } from "../../attribute.ts";
import { Names } from "../../names.ts";
import { readValue, required, writeValue } from "../data.ts";
import type { Codec } from "./codec.ts";

// linux/netfilter/nf_tables.h: enum nft_range_ops, enum nft_range_attributes
const OPERATORS = new Names<"eq" | "neq">("range operator", { eq: 0, neq: 1 });
const NFTA_RANGE_SREG = 1;
const NFTA_RANGE_OP = 2;
const NFTA_RANGE_FROM_DATA = 3;
const NFTA_RANGE_TO_DATA = 4;

/** `[ range neq reg 1 0x00005000 0x00005a00 ]`: both ends belong to the range; network byte order. */
export interface RangeExpression {
  /** Tells the expressions apart. */
  readonly kind: "range";
  /** Inside, or outside. */
  readonly operator: "eq" | "neq";
  /** Register that it reads or writes. */
  readonly register: number;
  /** The lowest value. */
  readonly from: Uint8Array;
  /** The highest value. */
  readonly to: Uint8Array;
}

/** The attributes of the expression. */
function encode(expression: RangeExpression): Uint8Array {
  const writer = new AttributeWriter()
    .u32be(NFTA_RANGE_SREG, expression.register)
    .u32be(NFTA_RANGE_OP, OPERATORS.number(expression.operator));
  writeValue(writer, NFTA_RANGE_FROM_DATA, expression.from);
  writeValue(writer, NFTA_RANGE_TO_DATA, expression.to);
  return writer.finish();
}

/** The inverse of {@linkcode encode}. */
function decode(data: AttributeMap): RangeExpression {
  return {
    kind: "range",
    operator: OPERATORS.name(data.u32be(NFTA_RANGE_OP)),
    register: required(data.u32be(NFTA_RANGE_SREG), "NFTA_RANGE_SREG"),
    from: readValue(data.bytes(NFTA_RANGE_FROM_DATA)),
    to: readValue(data.bytes(NFTA_RANGE_TO_DATA)),
  };
}

/** Codec of `range`. */
export const range: Codec<RangeExpression> = { name: "range", kinds: ["range"], encode, decode };
