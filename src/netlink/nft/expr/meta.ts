/** `meta`: reads a packet's metadata into a register, or sets it from one. @module */
import { type AttributeMap, AttributeWriter } from "../../attribute.ts";
import { Names } from "../../names.ts";
import { required } from "../data.ts";
import type { Codec } from "./codec.ts";

/** Facts that `meta` reads or sets, in nft's words. */
export type MetaKey =
  | "length"
  | "protocol"
  | "priority"
  | "mark"
  | "iif"
  | "oif"
  | "iifname"
  | "oifname"
  | "iiftype"
  | "oiftype"
  | "skuid"
  | "skgid"
  | "nftrace"
  | "nfproto"
  | "l4proto"
  | "pkttype"
  | "cpu"
  | "iifgroup"
  | "oifgroup"
  | "cgroup";

// linux/netfilter/nf_tables.h: enum nft_meta_keys
const KEYS = new Names<MetaKey>("meta key", {
  length: 0,
  protocol: 1,
  priority: 2,
  mark: 3,
  iif: 4,
  oif: 5,
  iifname: 6,
  oifname: 7,
  iiftype: 8,
  oiftype: 9,
  skuid: 10,
  skgid: 11,
  nftrace: 12,
  nfproto: 15,
  l4proto: 16,
  pkttype: 18,
  cpu: 19,
  iifgroup: 20,
  oifgroup: 21,
  cgroup: 23,
});

// linux/netfilter/nf_tables.h: enum nft_meta_attributes
const NFTA_META_DREG = 1;
const NFTA_META_KEY = 2;
const NFTA_META_SREG = 3;

/** `[ meta load mark => reg 1 ]`, or with `direction` "set" `[ meta set mark with reg 1 ]`. */
export interface MetaExpression {
  /** Tells the expressions apart. */
  readonly kind: "meta";
  /** Direction: into the register, or from it. */
  readonly direction: "load" | "set";
  /** The fact that is read or set. */
  readonly key: MetaKey;
  /** Register that it reads or writes. */
  readonly register: number;
}

/** The attributes of the expression. */
function encode(expression: MetaExpression): Uint8Array {
  const register = expression.direction === "load" ? NFTA_META_DREG : NFTA_META_SREG;
  return new AttributeWriter()
    .u32be(NFTA_META_KEY, KEYS.number(expression.key))
    .u32be(register, expression.register)
    .finish();
}

/** The inverse of {@linkcode encode}. */
function decode(data: AttributeMap): MetaExpression {
  const source = data.u32be(NFTA_META_SREG);
  const register = source ?? required(data.u32be(NFTA_META_DREG), "NFTA_META_DREG");
  const key = KEYS.name(data.u32be(NFTA_META_KEY));
  return { kind: "meta", direction: source === undefined ? "load" : "set", key, register };
}

/** Codec of `meta`. */
export const meta: Codec<MetaExpression> = { name: "meta", kinds: ["meta"], encode, decode };
