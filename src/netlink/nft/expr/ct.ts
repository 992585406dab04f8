/** `ct`: loads something that conntrack knows about the packet into a register. @module */
import { type AttributeMap, AttributeWriter } from "../../attribute.ts";
import { Names } from "../../names.ts";
import { required } from "../data.ts";
import type { Codec } from "./codec.ts";

/** Facts that conntrack knows; all four bytes in host byte order but `direction`, one byte. */
export type CtKey = "state" | "direction" | "status" | "mark";

// linux/netfilter/nf_tables.h: enum nft_ct_keys, enum nft_ct_attributes
const KEYS = new Names<CtKey>("ct key", { state: 0, direction: 1, status: 2, mark: 3 });
const NFTA_CT_DREG = 1;
const NFTA_CT_KEY = 2;
const NFTA_CT_DIRECTION = 3;
const NFTA_CT_SREG = 4;

/** The bits of `ct state`: linux/netfilter/nf_conntrack_common.h, NF_CT_STATE_BIT. */
export const CT_STATE = { invalid: 1, established: 2, related: 4, new: 8, untracked: 64 } as const;

/** `[ ct load state => reg 1 ]`, or with `direction` "set" `[ ct set mark with reg 1 ]`. */
export interface CtExpression {
  /** Tells the expressions apart. */
  readonly kind: "ct";
  /** Direction: into the register, or from it. */
  readonly direction: "load" | "set";
  /** The fact that is read or set. */
  readonly key: CtKey;
  /** Register that it reads or writes. */
  readonly register: number;
}

/** The attributes of the expression. */
function encode(expression: CtExpression): Uint8Array {
  const register = expression.direction === "load" ? NFTA_CT_DREG : NFTA_CT_SREG;
  return new AttributeWriter()
    .u32be(NFTA_CT_KEY, KEYS.number(expression.key))
    .u32be(register, expression.register)
    .finish();
}

/** The inverse of {@linkcode encode}. Questions about one direction (`ct original …`) throw a RangeError. */
function decode(data: AttributeMap): CtExpression {
  if (data.has(NFTA_CT_DIRECTION)) throw new RangeError("Cannot decode ct expression with a direction");
  const source = data.u32be(NFTA_CT_SREG);
  const register = source ?? required(data.u32be(NFTA_CT_DREG), "NFTA_CT_DREG");
  const key = KEYS.name(data.u32be(NFTA_CT_KEY));
  return { kind: "ct", direction: source === undefined ? "load" : "set", key, register };
}

/** Codec of `ct`. */
export const ct: Codec<CtExpression> = { name: "ct", kinds: ["ct"], encode, decode };
