/** `payload`: loads bytes of the packet into a register. @module */
import { type AttributeMap, AttributeWriter } from "../../attribute.ts";
import { Names } from "../../names.ts";
import { required } from "../data.ts";
import type { Codec } from "./codec.ts";

/** The header that `offset` counts from. */
export type PayloadBase = "link" | "network" | "transport";

// linux/netfilter/nf_tables.h: enum nft_payload_bases, enum nft_payload_attributes
const BASES = new Names<PayloadBase>("payload base", { link: 0, network: 1, transport: 2 });
const NFTA_PAYLOAD_DREG = 1;
const NFTA_PAYLOAD_BASE = 2;
const NFTA_PAYLOAD_OFFSET = 3;
const NFTA_PAYLOAD_LEN = 4;

/** `[ payload load 2b @ transport header + 2 => reg 1 ]`: `offset` and `length` in bytes. */
export interface PayloadExpression {
  /** Tells the expressions apart. */
  readonly kind: "payload";
  /** The header that is read. */
  readonly base: PayloadBase;
  /** From the start of the header, in bytes. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
  /** Register that it reads or writes. */
  readonly register: number;
}

/** The attributes of the expression. */
function encode(expression: PayloadExpression): Uint8Array {
  return new AttributeWriter()
    .u32be(NFTA_PAYLOAD_DREG, expression.register)
    .u32be(NFTA_PAYLOAD_BASE, BASES.number(expression.base))
    .u32be(NFTA_PAYLOAD_OFFSET, expression.offset)
    .u32be(NFTA_PAYLOAD_LEN, expression.length)
    .finish();
}

/** The inverse of {@linkcode encode}. */
function decode(data: AttributeMap): PayloadExpression {
  return {
    kind: "payload",
    base: BASES.name(data.u32be(NFTA_PAYLOAD_BASE)),
    offset: required(data.u32be(NFTA_PAYLOAD_OFFSET), "NFTA_PAYLOAD_OFFSET"),
    length: required(data.u32be(NFTA_PAYLOAD_LEN), "NFTA_PAYLOAD_LEN"),
    register: required(data.u32be(NFTA_PAYLOAD_DREG), "NFTA_PAYLOAD_DREG"),
  };
}

/** Codec of `payload`. */
export const payload: Codec<PayloadExpression> = { name: "payload", kinds: ["payload"], encode, decode };
