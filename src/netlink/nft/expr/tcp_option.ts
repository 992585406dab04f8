/** `exthdr`, of TCP options: whether a packet has one; and their removal. @module */
import { type AttributeMap, AttributeWriter } from "../../attribute.ts";
import { required } from "../data.ts";
import type { Codec } from "./codec.ts";

// linux/netfilter/nf_tables.h: enum nft_exthdr_attributes, nft_exthdr_flags, nft_exthdr_op
const NFTA_EXTHDR_DREG = 1;
const NFTA_EXTHDR_TYPE = 2;
const NFTA_EXTHDR_OFFSET = 3;
const NFTA_EXTHDR_LEN = 4;
const NFTA_EXTHDR_FLAGS = 5;
const NFTA_EXTHDR_OP = 6;
const NFTA_EXTHDR_SREG = 7;
const NFT_EXTHDR_F_PRESENT = 1;
const NFT_EXTHDR_OP_TCPOPT = 1;

/** `[ exthdr load tcpopt 1b @ 19 + 0 present => reg 1 ]`: one byte, 1 where the option is there. */
export interface TcpOptionExpression {
  /** Tells the expressions apart. */
  readonly kind: "tcp-option";
  /** The option's kind (NFTA_EXTHDR_TYPE). */
  readonly option: number;
  /** Register of the answer. */
  readonly register: number;
}

/** `[ exthdr reset tcpopt 34 ]`: bytes that mean nothing take the option's place. */
export interface TcpOptionResetExpression {
  /** Tells the expressions apart. */
  readonly kind: "tcp-option-reset";
  /** The option's kind (NFTA_EXTHDR_TYPE). */
  readonly option: number;
}

/** The attributes of the expression. */
function encode(expression: TcpOptionExpression | TcpOptionResetExpression): Uint8Array {
  if (expression.kind === "tcp-option-reset") {
    return new AttributeWriter()
      .u8(NFTA_EXTHDR_TYPE, expression.option)
      .u32be(NFTA_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT)
      .finish();
  }
  return new AttributeWriter()
    .u32be(NFTA_EXTHDR_DREG, expression.register)
    .u8(NFTA_EXTHDR_TYPE, expression.option)
    .u32be(NFTA_EXTHDR_OFFSET, 0)
    .u32be(NFTA_EXTHDR_LEN, 1)
    .u32be(NFTA_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT)
    .u32be(NFTA_EXTHDR_FLAGS, NFT_EXTHDR_F_PRESENT)
    .finish();
}

/** The inverse of {@linkcode encode}. Other headers, and the contents of an option, throw a RangeError. */
function decode(data: AttributeMap): TcpOptionExpression | TcpOptionResetExpression {
  if (isReset(data)) {
    return { kind: "tcp-option-reset", option: required(data.u8(NFTA_EXTHDR_TYPE), "NFTA_EXTHDR_TYPE") };
  }
  if (
    data.u32be(NFTA_EXTHDR_OP) !== NFT_EXTHDR_OP_TCPOPT ||
    data.u32be(NFTA_EXTHDR_FLAGS) !== NFT_EXTHDR_F_PRESENT
  ) {
    throw new RangeError("Cannot decode exthdr but for the presence of a TCP option");
  }
  return {
    kind: "tcp-option",
    option: required(data.u8(NFTA_EXTHDR_TYPE), "NFTA_EXTHDR_TYPE"),
    register: required(data.u32be(NFTA_EXTHDR_DREG), "NFTA_EXTHDR_DREG"),
  };
}

/** Tells it by its lack of registers. */
function isReset(data: AttributeMap): boolean {
  return data.u32be(NFTA_EXTHDR_OP) === NFT_EXTHDR_OP_TCPOPT && !data.has(NFTA_EXTHDR_DREG) &&
    !data.has(NFTA_EXTHDR_SREG);
}

/** Codec of `exthdr`. */
export const tcpOption: Codec<TcpOptionExpression | TcpOptionResetExpression> = {
  name: "exthdr",
  kinds: ["tcp-option", "tcp-option-reset"],
  encode,
  decode,
};
