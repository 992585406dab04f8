/** `immediate`: puts a constant into a register, or a verdict into the verdict register. @module */
import { type AttributeMap, AttributeWriter } from "../../attribute.ts";
import { readValue, readVerdict, required, type Verdict, writeValue, writeVerdict } from "../data.ts";
import type { Codec } from "./codec.ts";

// linux/netfilter/nf_tables.h: enum nft_immediate_attributes, enum nft_registers
const NFTA_IMMEDIATE_DREG = 1;
const NFTA_IMMEDIATE_DATA = 2;
const NFT_REG_VERDICT = 0;

/** `[ immediate reg 1 0x0100007f ]`. */
export interface ImmediateExpression {
  /** Tells the expressions apart. */
  readonly kind: "immediate";
  /** Register that it reads or writes. */
  readonly register: number;
  /** Written into the register. */
  readonly value: Uint8Array;
}

/** `[ immediate reg 0 accept ]`, `[ immediate reg 0 jump -> intercept ]`. */
export interface VerdictExpression {
  /** Tells the expressions apart. */
  readonly kind: "verdict";
  /** Verdict on the packet. */
  readonly verdict: Verdict;
}

/** The attributes of the expression. */
function encode(expression: ImmediateExpression | VerdictExpression): Uint8Array {
  const writer = new AttributeWriter();
  if (expression.kind === "verdict") {
    writer.u32be(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    writeVerdict(writer, NFTA_IMMEDIATE_DATA, expression.verdict);
  } else {
    writer.u32be(NFTA_IMMEDIATE_DREG, expression.register);
    writeValue(writer, NFTA_IMMEDIATE_DATA, expression.value);
  }
  return writer.finish();
}

/** The inverse of {@linkcode encode}. */
function decode(data: AttributeMap): ImmediateExpression | VerdictExpression {
  const bytes = data.bytes(NFTA_IMMEDIATE_DATA);
  const verdict = readVerdict(bytes);
  if (verdict !== undefined) return { kind: "verdict", verdict };
  const register = required(data.u32be(NFTA_IMMEDIATE_DREG), "NFTA_IMMEDIATE_DREG");
  return { kind: "immediate", register, value: readValue(bytes) };
}

/** Codec of `immediate`, for constants and for verdicts. */
export const immediate: Codec<ImmediateExpression | VerdictExpression> = {
  name: "immediate",
  kinds: ["immediate", "verdict"],
  encode,
  decode,
};
