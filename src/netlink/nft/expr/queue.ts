/** `queue`: a program decides on the packet, which the kernel holds until then (NFQUEUE). @module */
import { type AttributeMap, AttributeWriter } from "../../attribute.ts";
import { required } from "../data.ts";
import type { Codec } from "./codec.ts";

// linux/netfilter/nf_tables.h: enum nft_queue_attributes, NFT_QUEUE_FLAG_*
const NFTA_QUEUE_NUM = 1;
const NFTA_QUEUE_TOTAL = 2;
const NFTA_QUEUE_FLAGS = 3;
const NFTA_QUEUE_SREG_QNUM = 4;
const BYPASS = 1;

/** `[ queue num 8 bypass ]`. */
export interface QueueExpression {
  /** Tells the expressions apart. */
  readonly kind: "queue";
  /** The queue that gets the packet (NFTA_QUEUE_NUM). */
  readonly number: number;
  /** The packet goes on behind the chain where nobody has bound it. */
  readonly bypass: boolean;
}

/** The attributes of the expression. */
function encode({ number, bypass }: QueueExpression): Uint8Array {
  return new AttributeWriter()
    .u16be(NFTA_QUEUE_NUM, number)
    .u16be(NFTA_QUEUE_TOTAL, 1)
    .u16be(NFTA_QUEUE_FLAGS, bypass ? BYPASS : 0)
    .finish();
}

/** The inverse of {@linkcode encode}. One that divides packets among several throws a RangeError. */
function decode(data: AttributeMap): QueueExpression {
  const flags = data.u16be(NFTA_QUEUE_FLAGS) ?? 0;
  if (
    (data.u16be(NFTA_QUEUE_TOTAL) ?? 1) !== 1 || data.has(NFTA_QUEUE_SREG_QNUM) || (flags & ~BYPASS) !== 0
  ) {
    throw new RangeError("Cannot decode a queue of several");
  }
  return {
    kind: "queue",
    number: required(data.u16be(NFTA_QUEUE_NUM), "NFTA_QUEUE_NUM"),
    bypass: (flags & BYPASS) !== 0,
  };
}

/** Codec of `queue`. */
export const queue: Codec<QueueExpression> = { name: "queue", kinds: ["queue"], encode, decode };
