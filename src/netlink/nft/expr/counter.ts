/** `counter`: counts packets and bytes. @module */
import { type AttributeMap, AttributeWriter } from "../../attribute.ts";
import type { Codec } from "./codec.ts";

// linux/netfilter/nf_tables.h: enum nft_counter_attributes
const NFTA_COUNTER_BYTES = 1;
const NFTA_COUNTER_PACKETS = 2;

/** `[ counter pkts 0 bytes 0 ]`. Without numbers it begins at zero; a dump has both. */
export interface CounterExpression {
  /** Tells the expressions apart. */
  readonly kind: "counter";
  /** Packets so far (NFTA_COUNTER_PACKETS). */
  readonly packets?: bigint;
  /** Bytes so far (NFTA_COUNTER_BYTES). */
  readonly bytes?: bigint;
}

/** The attributes of the expression. */
function encode(expression: CounterExpression): Uint8Array {
  const writer = new AttributeWriter();
  if (expression.bytes !== undefined) writer.u64be(NFTA_COUNTER_BYTES, expression.bytes);
  if (expression.packets !== undefined) writer.u64be(NFTA_COUNTER_PACKETS, expression.packets);
  return writer.finish();
}

/** The inverse of {@linkcode encode}. */
function decode(data: AttributeMap): CounterExpression {
  const packets = data.u64be(NFTA_COUNTER_PACKETS);
  const bytes = data.u64be(NFTA_COUNTER_BYTES);
  return {
    kind: "counter",
    ...(packets === undefined ? {} : { packets }),
    ...(bytes === undefined ? {} : { bytes }),
  };
}

/** Codec of `counter`. */
export const counter: Codec<CounterExpression> = { name: "counter", kinds: ["counter"], encode, decode };
