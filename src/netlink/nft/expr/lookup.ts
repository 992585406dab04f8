/** `lookup`: whether a register is in a set, or what a map holds for it. @module */
import { type AttributeMap, AttributeWriter } from "../../attribute.ts";
import { required } from "../data.ts";
import type { Codec } from "./codec.ts";

// linux/netfilter/nf_tables.h: enum nft_lookup_attributes, enum nft_lookup_flags
const NFTA_LOOKUP_SET = 1;
const NFTA_LOOKUP_SREG = 2;
const NFTA_LOOKUP_DREG = 3;
const NFTA_LOOKUP_SET_ID = 4;
const NFTA_LOOKUP_FLAGS = 5;
const NFT_LOOKUP_F_INV = 1;

/** `[ lookup reg 1 set lan ]`. */
export interface LookupExpression {
  /** Tells the expressions apart. */
  readonly kind: "lookup";
  /** Name of the set. */
  readonly set: string;
  /** Register that it reads or writes. */
  readonly register: number;
  /**
   * The set's id in the batch that makes it: needed for anonymous sets. The kernel does not tell it again.
   */
  readonly setId?: number;
  /** `!=`: the rule goes on where the set does not hold the register. */
  readonly inverted?: boolean;
  /** Register for a map's value; 0 for a verdict map. */
  readonly destination?: number;
}

/** The attributes of the expression. */
function encode(expression: LookupExpression): Uint8Array {
  const writer = new AttributeWriter().u32be(NFTA_LOOKUP_SREG, expression.register);
  if (expression.destination !== undefined) writer.u32be(NFTA_LOOKUP_DREG, expression.destination);
  writer.string(NFTA_LOOKUP_SET, expression.set);
  if (expression.setId !== undefined) writer.u32be(NFTA_LOOKUP_SET_ID, expression.setId);
  if (expression.inverted) writer.u32be(NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
  return writer.finish();
}

/** The inverse of {@linkcode encode}. */
function decode(data: AttributeMap): LookupExpression {
  const setId = data.u32be(NFTA_LOOKUP_SET_ID);
  const destination = data.u32be(NFTA_LOOKUP_DREG);
  return {
    kind: "lookup",
    set: required(data.string(NFTA_LOOKUP_SET), "NFTA_LOOKUP_SET"),
    register: required(data.u32be(NFTA_LOOKUP_SREG), "NFTA_LOOKUP_SREG"),
    ...(setId === undefined ? {} : { setId }),
    ...(((data.u32be(NFTA_LOOKUP_FLAGS) ?? 0) & NFT_LOOKUP_F_INV) !== 0 ? { inverted: true } : {}),
    ...(destination === undefined ? {} : { destination }),
  };
}

/** Codec of `lookup`. */
export const lookup: Codec<LookupExpression> = { name: "lookup", kinds: ["lookup"], encode, decode };
