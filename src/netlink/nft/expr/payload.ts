/** `payload`: loads bytes of the packet into a register, or writes them from one. @module */
import { type AttributeMap, AttributeWriter } from "../../attribute.ts";
import { Names } from "../../names.ts";
import { required } from "../data.ts";
import type { Codec } from "./codec.ts";

/** The header that `offset` counts from; `inner`: what comes behind the transport header. */
export type PayloadBase = "link" | "network" | "transport" | "inner";

// linux/netfilter/nf_tables.h: enum nft_payload_bases, enum nft_payload_attributes
const BASES = new Names<PayloadBase>("payload base", {
  link: 0,
  network: 1,
  transport: 2,
  inner: 3,
});
const NFTA_PAYLOAD_DREG = 1;
const NFTA_PAYLOAD_BASE = 2;
const NFTA_PAYLOAD_OFFSET = 3;
const NFTA_PAYLOAD_LEN = 4;
const NFTA_PAYLOAD_SREG = 5;
const NFTA_PAYLOAD_CSUM_TYPE = 6;
const NFTA_PAYLOAD_CSUM_FLAGS = 8;

/** Bytes of the packet. */
export interface PayloadPlace {
  /** The header that is meant. */
  readonly base: PayloadBase;
  /** From the start of the header, in bytes. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
  /** Register that it reads or writes. */
  readonly register: number;
}

/** `[ payload load 2b @ transport header + 2 => reg 1 ]`: `offset` and `length` in bytes. */
export interface PayloadExpression extends PayloadPlace {
  /** Tells the expressions apart. */
  readonly kind: "payload";
}

/**
 * `[ payload write reg 1 => 2b @ transport header + 16 csum_type 0 csum_off 0 csum_flags 0x0 ]`: no checksum
 * is mended.
 */
export interface PayloadWriteExpression extends PayloadPlace {
  /** Tells the expressions apart. */
  readonly kind: "payload-write";
}

/** The attributes of the expression. */
function encode(expression: PayloadExpression | PayloadWriteExpression): Uint8Array {
  const writes = expression.kind === "payload-write";
  return new AttributeWriter()
    .u32be(writes ? NFTA_PAYLOAD_SREG : NFTA_PAYLOAD_DREG, expression.register)
    .u32be(NFTA_PAYLOAD_BASE, BASES.number(expression.base))
    .u32be(NFTA_PAYLOAD_OFFSET, expression.offset)
    .u32be(NFTA_PAYLOAD_LEN, expression.length)
    .finish();
}

/** The inverse of {@linkcode encode}. Mending a checksum throws a RangeError. */
function decode(data: AttributeMap): PayloadExpression | PayloadWriteExpression {
  const source = data.u32be(NFTA_PAYLOAD_SREG);
  for (const type of [NFTA_PAYLOAD_CSUM_TYPE, NFTA_PAYLOAD_CSUM_FLAGS]) {
    if ((data.u32be(type) ?? 0) !== 0) throw new RangeError("Cannot decode payload with a checksum");
  }
  return {
    kind: source === undefined ? "payload" : "payload-write",
    base: BASES.name(data.u32be(NFTA_PAYLOAD_BASE)),
    offset: required(data.u32be(NFTA_PAYLOAD_OFFSET), "NFTA_PAYLOAD_OFFSET"),
    length: required(data.u32be(NFTA_PAYLOAD_LEN), "NFTA_PAYLOAD_LEN"),
    register: source ?? required(data.u32be(NFTA_PAYLOAD_DREG), "NFTA_PAYLOAD_DREG"),
  };
}

/** Codec of `payload`. */
export const payload: Codec<PayloadExpression | PayloadWriteExpression> = {
  name: "payload",
  kinds: ["payload", "payload-write"],
  encode,
  decode,
};
