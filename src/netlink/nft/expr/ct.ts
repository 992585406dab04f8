/** `ct`: loads something that conntrack knows about the packet into a register. @module */
import { type AttributeMap, AttributeWriter } from "../../attribute.ts";
import { Names } from "../../names.ts";
import { required } from "../data.ts";
import type { Codec } from "./codec.ts";

/**
 * Facts that conntrack knows; `direction` has one byte, `zone` two, `helper` (a name) and `label` (a bit for
 * each) 16, addresses their own length, ports two (network byte order), all others four bytes in host byte
 * order.
 */
export type CtKey =
  | "state"
  | "direction"
  | "status"
  | "mark"
  | "helper"
  | "proto-src"
  | "proto-dst"
  | "label"
  | "zone"
  | "ip-saddr"
  | "ip-daddr"
  | "ip6-saddr"
  | "ip6-daddr";

/** A side of a flow, where a fact differs: addresses, ports, zones. */
export type CtSide = "original" | "reply";

// linux/netfilter/nf_tables.h: enum nft_ct_keys, enum nft_ct_attributes
const KEYS = new Names<CtKey>("ct key", {
  state: 0,
  direction: 1,
  status: 2,
  mark: 3,
  helper: 6,
  "proto-src": 11,
  "proto-dst": 12,
  label: 13,
  zone: 17,
  "ip-saddr": 19,
  "ip-daddr": 20,
  "ip6-saddr": 21,
  "ip6-daddr": 22,
});
const NFTA_CT_DREG = 1;
const NFTA_CT_KEY = 2;
const NFTA_CT_DIRECTION = 3;
const NFTA_CT_SREG = 4;
/** The numbers of the sides: linux/netfilter/nf_conntrack_tuple_common.h, IP_CT_DIR_*. */
export const CT_SIDES = new Names<CtSide>("direction of a flow", { original: 0, reply: 1 });

/** The bits of `ct state`: linux/netfilter/nf_conntrack_common.h, NF_CT_STATE_BIT. */
export const CT_STATE = { invalid: 1, established: 2, related: 4, new: 8, untracked: 64 } as const;

/** The bits of `ct status` that rules ask for: linux/netfilter/nf_conntrack_common.h, IPS_*. */
export const CT_STATUS = { snat: 16, dnat: 32, helper: 0x2000 } as const;

/** `[ ct load state => reg 1 ]`, or with `direction` "set" `[ ct set mark with reg 1 ]`. */
export interface CtExpression {
  /** Tells the expressions apart. */
  readonly kind: "ct";
  /** Direction: into the register, or from it. */
  readonly direction: "load" | "set";
  /** The fact that is read or set. */
  readonly key: CtKey;
  /** The flow's side that is asked for (NFTA_CT_DIRECTION): `ct original ip saddr`. */
  readonly side?: CtSide;
  /** Register that it reads or writes. */
  readonly register: number;
}

/** The attributes of the expression. */
function encode(expression: CtExpression): Uint8Array {
  const register = expression.direction === "load" ? NFTA_CT_DREG : NFTA_CT_SREG;
  const writer = new AttributeWriter()
    .u32be(NFTA_CT_KEY, KEYS.number(expression.key))
    .u32be(register, expression.register);
  if (expression.side !== undefined) writer.u8(NFTA_CT_DIRECTION, CT_SIDES.number(expression.side));
  return writer.finish();
}

/** The inverse of {@linkcode encode}. */
function decode(data: AttributeMap): CtExpression {
  const source = data.u32be(NFTA_CT_SREG);
  const register = source ?? required(data.u32be(NFTA_CT_DREG), "NFTA_CT_DREG");
  const key = KEYS.name(data.u32be(NFTA_CT_KEY));
  const side = data.u8(NFTA_CT_DIRECTION);
  return {
    kind: "ct",
    direction: source === undefined ? "load" : "set",
    key,
    ...(side === undefined ? {} : { side: CT_SIDES.name(side) }),
    register,
  };
}

/** Codec of `ct`. */
export const ct: Codec<CtExpression> = { name: "ct", kinds: ["ct"], encode, decode };
