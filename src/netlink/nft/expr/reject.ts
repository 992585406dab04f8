/** `reject`: answers with an ICMP error or a TCP reset, and drops the packet. @module */
import { type AttributeMap, AttributeWriter } from "../../attribute.ts";
import { Names } from "../../names.ts";
import type { Codec } from "./codec.ts";

/**
 * The answer to the sender: an ICMP or ICMPv6 error, a TCP reset, or in `inet` the fitting ICMP by `icmpx`
 * code.
 */
export type RejectType = "icmp" | "tcp-reset" | "icmpx";

// linux/netfilter/nf_tables.h: enum nft_reject_types, enum nft_reject_attributes
const TYPES = new Names<RejectType>("reject type", { icmp: 0, "tcp-reset": 1, icmpx: 2 });
const NFTA_REJECT_TYPE = 1;
const NFTA_REJECT_ICMP_CODE = 2;

/** A reason that `icmpx` tells in either family, in nft's words. */
export type IcmpxCode = "no-route" | "port-unreachable" | "host-unreachable" | "admin-prohibited";

/** linux/netfilter/nf_tables.h: enum nft_reject_inet_code */
export const ICMPX_CODES: Readonly<Record<IcmpxCode, number>> = {
  "no-route": 0,
  "port-unreachable": 1,
  "host-unreachable": 2,
  "admin-prohibited": 3,
};

/** `[ reject type 1 code 0 ]`. `code` is 0 for a TCP reset. */
export interface RejectExpression {
  /** Tells the expressions apart. */
  readonly kind: "reject";
  /** Kind of the answer (NFTA_REJECT_TYPE). */
  readonly type: RejectType;
  /** ICMP code, where one is sent (NFTA_REJECT_ICMP_CODE). */
  readonly code: number;
}

/** The attributes of the expression. */
function encode(expression: RejectExpression): Uint8Array {
  return new AttributeWriter()
    .u32be(NFTA_REJECT_TYPE, TYPES.number(expression.type))
    .u8(NFTA_REJECT_ICMP_CODE, expression.code)
    .finish();
}

/** The inverse of {@linkcode encode}. The kernel tells no code for a TCP reset. */
function decode(data: AttributeMap): RejectExpression {
  return {
    kind: "reject",
    type: TYPES.name(data.u32be(NFTA_REJECT_TYPE)),
    code: data.u8(NFTA_REJECT_ICMP_CODE) ?? 0,
  };
}

/** Codec of `reject`. */
export const reject: Codec<RejectExpression> = { name: "reject", kinds: ["reject"], encode, decode };
