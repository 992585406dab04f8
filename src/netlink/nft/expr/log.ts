/** `log`: hands a copy of the packet to whoever listens to a group (NFLOG). @module */
import { type AttributeMap, AttributeWriter } from "../../attribute.ts";
import { required } from "../data.ts";
import type { Codec } from "./codec.ts";

// linux/netfilter/nf_tables.h: enum nft_log_attributes
const NFTA_LOG_GROUP = 1;
const NFTA_LOG_PREFIX = 2;
const NFTA_LOG_SNAPLEN = 3;
const NFTA_LOG_QTHRESHOLD = 4;
const NFTA_LOG_LEVEL = 5;
const NFTA_LOG_FLAGS = 6;

/** `[ log prefix p group 8 snaplen 128 qthreshold 1 ]`. */
export interface LogExpression {
  /** Tells the expressions apart. */
  readonly kind: "log";
  /** The group that is told (NFTA_LOG_GROUP). */
  readonly group: number;
  /** Words that come with the copy (NFTA_LOG_PREFIX). */
  readonly prefix?: string;
  /** Bytes of the packet that are copied, if not all (NFTA_LOG_SNAPLEN). */
  readonly snapLength?: number;
  /** Copies that the kernel collects before it sends them (NFTA_LOG_QTHRESHOLD). */
  readonly queueThreshold?: number;
}

/** The attributes of the expression. */
function encode(expression: LogExpression): Uint8Array {
  const writer = new AttributeWriter();
  if (expression.prefix !== undefined) writer.string(NFTA_LOG_PREFIX, expression.prefix);
  writer.u16be(NFTA_LOG_GROUP, expression.group);
  if (expression.snapLength !== undefined) writer.u32be(NFTA_LOG_SNAPLEN, expression.snapLength);
  if (expression.queueThreshold !== undefined) {
    writer.u16be(NFTA_LOG_QTHRESHOLD, expression.queueThreshold);
  }
  return writer.finish();
}

/** The inverse of {@linkcode encode}. A log for the kernel's own messages throws a RangeError. */
function decode(data: AttributeMap): LogExpression {
  if (data.has(NFTA_LOG_LEVEL) || data.has(NFTA_LOG_FLAGS)) {
    throw new RangeError("Cannot decode log with a level or flags");
  }
  const prefix = data.string(NFTA_LOG_PREFIX);
  const snapLength = data.u32be(NFTA_LOG_SNAPLEN);
  const queueThreshold = data.u16be(NFTA_LOG_QTHRESHOLD);
  return {
    kind: "log",
    group: required(data.u16be(NFTA_LOG_GROUP), "NFTA_LOG_GROUP"),
    ...(prefix === undefined ? {} : { prefix }),
    ...(snapLength === undefined ? {} : { snapLength }),
    ...(queueThreshold === undefined ? {} : { queueThreshold }),
  };
}

/** Codec of `log`. */
export const log: Codec<LogExpression> = { name: "log", kinds: ["log"], encode, decode };
