/** `nat`: changes the source or the destination of a flow to what registers hold. @module */
import { type AttributeMap, AttributeWriter } from "../../attribute.ts";
import { Names } from "../../names.ts";
import type { Codec } from "./codec.ts";

/** The end of a flow that is changed. */
export type NatType = "snat" | "dnat";

// linux/netfilter/nf_tables.h: enum nft_nat_types, enum nft_nat_attributes; linux/netfilter.h: NFPROTO_*
const TYPES = new Names<NatType>("nat type", { snat: 0, dnat: 1 });
const FAMILIES = new Names<"ip" | "ip6">("nat family", { ip: 2, ip6: 10 });
const NFTA_NAT_TYPE = 1;
const NFTA_NAT_FAMILY = 2;
const NFTA_NAT_REG_ADDR_MIN = 3;
const NFTA_NAT_REG_ADDR_MAX = 4;
const NFTA_NAT_REG_PROTO_MIN = 5;
const NFTA_NAT_REG_PROTO_MAX = 6;
const NFTA_NAT_FLAGS = 7;
/** linux/netfilter/nf_nat.h: NF_NAT_RANGE_* */
const NF_NAT_RANGE_MAP_IPS = 1;
const NF_NAT_RANGE_PROTO_SPECIFIED = 2;

/** `[ nat snat ip addr_min reg 1 proto_min reg 2 flags 0x2 ]`: to one address, and one port or any. */
export interface NatExpression {
  /** Tells the expressions apart. */
  readonly kind: "nat";
  /** NFTA_NAT_TYPE. */
  readonly type: NatType;
  /** NFTA_NAT_FAMILY. */
  readonly family: "ip" | "ip6";
  /** Register of the address (NFTA_NAT_REG_ADDR_MIN). */
  readonly addressRegister: number;
  /** Register of the port (NFTA_NAT_REG_PROTO_MIN). */
  readonly portRegister?: number;
}

/** The attributes of the expression. */
function encode(expression: NatExpression): Uint8Array {
  const writer = new AttributeWriter()
    .u32be(NFTA_NAT_TYPE, TYPES.number(expression.type))
    .u32be(NFTA_NAT_FAMILY, FAMILIES.number(expression.family))
    .u32be(NFTA_NAT_REG_ADDR_MIN, expression.addressRegister);
  if (expression.portRegister !== undefined) {
    writer.u32be(NFTA_NAT_REG_PROTO_MIN, expression.portRegister);
    writer.u32be(NFTA_NAT_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
  }
  return writer.finish();
}

/** The inverse of {@linkcode encode}. Ranges, ports without an address and other flags throw a RangeError. */
function decode(data: AttributeMap): NatExpression {
  const addressRegister = data.u32be(NFTA_NAT_REG_ADDR_MIN);
  const portRegister = data.u32be(NFTA_NAT_REG_PROTO_MIN);
  // A dump repeats the lowest of a range as its highest.
  const isRange = (data.u32be(NFTA_NAT_REG_ADDR_MAX) ?? addressRegister) !== addressRegister ||
    (data.u32be(NFTA_NAT_REG_PROTO_MAX) ?? portRegister) !== portRegister;
  const flags = (data.u32be(NFTA_NAT_FLAGS) ?? 0) & ~(NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED);
  if (addressRegister === undefined || isRange || flags !== 0) {
    throw new RangeError("Cannot decode nat to a range, to a port alone, or with flags");
  }
  return {
    kind: "nat",
    type: TYPES.name(data.u32be(NFTA_NAT_TYPE)),
    family: FAMILIES.name(data.u32be(NFTA_NAT_FAMILY)),
    addressRegister,
    ...(portRegister === undefined ? {} : { portRegister }),
  };
}

/** Codec of `nat`. */
export const nat: Codec<NatExpression> = { name: "nat", kinds: ["nat"], encode, decode };
