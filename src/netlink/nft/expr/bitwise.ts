/** `bitwise`: masks and flips the bits of a register. @module */
import { type AttributeMap, AttributeWriter } from "../../attribute.ts";
import { readValue, required, writeValue } from "../data.ts";
import type { Codec } from "./codec.ts";

// linux/netfilter/nf_tables.h: enum nft_bitwise_ops, enum nft_bitwise_attributes
const NFT_BITWISE_MASK_XOR = 0;
const NFTA_BITWISE_SREG = 1;
const NFTA_BITWISE_DREG = 2;
const NFTA_BITWISE_LEN = 3;
const NFTA_BITWISE_MASK = 4;
const NFTA_BITWISE_XOR = 5;
const NFTA_BITWISE_OP = 6;

/**
 * `[ bitwise reg 1 = ( reg 1 & mask ) ^ xor ]`: both values are as long as what was loaded, and in its byte
 * order.
 */
export interface BitwiseExpression {
  /** Tells the expressions apart. */
  readonly kind: "bitwise";
  /** Register that is read. */
  readonly source: number;
  /** Register of the result. */
  readonly destination: number;
  /** ANDed first. */
  readonly mask: Uint8Array;
  /** XORed then. */
  readonly xor: Uint8Array;
}

/** The attributes of the expression. */
function encode(expression: BitwiseExpression): Uint8Array {
  const writer = new AttributeWriter()
    .u32be(NFTA_BITWISE_SREG, expression.source)
    .u32be(NFTA_BITWISE_DREG, expression.destination)
    .u32be(NFTA_BITWISE_OP, NFT_BITWISE_MASK_XOR)
    .u32be(NFTA_BITWISE_LEN, expression.mask.length);
  writeValue(writer, NFTA_BITWISE_MASK, expression.mask);
  writeValue(writer, NFTA_BITWISE_XOR, expression.xor);
  return writer.finish();
}

/** The inverse of {@linkcode encode}. Shifts throw a RangeError. */
function decode(data: AttributeMap): BitwiseExpression {
  const operation = data.u32be(NFTA_BITWISE_OP) ?? NFT_BITWISE_MASK_XOR;
  if (operation !== NFT_BITWISE_MASK_XOR) {
    throw new RangeError(`Cannot decode bitwise operation ${operation}`);
  }
  return {
    kind: "bitwise",
    source: required(data.u32be(NFTA_BITWISE_SREG), "NFTA_BITWISE_SREG"),
    destination: required(data.u32be(NFTA_BITWISE_DREG), "NFTA_BITWISE_DREG"),
    mask: readValue(data.bytes(NFTA_BITWISE_MASK)),
    xor: readValue(data.bytes(NFTA_BITWISE_XOR)),
  };
}

/** Codec of `bitwise`. */
export const bitwise: Codec<BitwiseExpression> = { name: "bitwise", kinds: ["bitwise"], encode, decode };
