/** `exthdr`, of TCP options: whether a packet has one. @module */
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

/** The attributes of the expression. */
function encode(expression: TcpOptionExpression): Uint8Array {
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
function decode(data: AttributeMap): TcpOptionExpression {
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

/** Codec of `exthdr`. */
export const tcpOption: Codec<TcpOptionExpression> = {
  name: "exthdr",
  kinds: ["tcp-option"],
  encode,
  decode,
};
