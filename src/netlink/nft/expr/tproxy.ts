/**
 * `tproxy`: gives the packet to a local transparent socket; breaks out of the rule if there is none. @module
 */
import { type AttributeMap, AttributeWriter } from "../../attribute.ts";
import { Names } from "../../names.ts";
import type { Codec } from "./codec.ts";

/** The packets that the expression is for; `any` decides by packet, and then takes no address. */
export type TproxyFamily = "any" | "ip" | "ip6";

// linux/netfilter.h NFPROTO_*, linux/netfilter/nf_tables.h enum nft_tproxy_attributes
const FAMILIES = new Names<TproxyFamily>("tproxy family", { any: 0, ip: 2, ip6: 10 });
const NFTA_TPROXY_FAMILY = 1;
const NFTA_TPROXY_REG_ADDR = 2;
const NFTA_TPROXY_REG_PORT = 3;

/** `[ tproxy ip addr reg 1 port reg 2 ]`. */
export interface TproxyExpression {
  /** Tells the expressions apart. */
  readonly kind: "tproxy";
  /** NFTA_TPROXY_FAMILY. */
  readonly family: TproxyFamily;
  /** Register of the listener's address (NFTA_TPROXY_REG_ADDR). */
  readonly addressRegister?: number;
  /** Register of the listener's port (NFTA_TPROXY_REG_PORT). */
  readonly portRegister?: number;
}

/** The attributes of the expression. */
function encode(expression: TproxyExpression): Uint8Array {
  const writer = new AttributeWriter().u32be(NFTA_TPROXY_FAMILY, FAMILIES.number(expression.family));
  if (expression.addressRegister !== undefined) {
    writer.u32be(NFTA_TPROXY_REG_ADDR, expression.addressRegister);
  }
  if (expression.portRegister !== undefined) writer.u32be(NFTA_TPROXY_REG_PORT, expression.portRegister);
  return writer.finish();
}

/** The inverse of {@linkcode encode}. */
function decode(data: AttributeMap): TproxyExpression {
  const addressRegister = data.u32be(NFTA_TPROXY_REG_ADDR);
  const portRegister = data.u32be(NFTA_TPROXY_REG_PORT);
  return {
    kind: "tproxy",
    family: FAMILIES.name(data.u32be(NFTA_TPROXY_FAMILY)),
    ...(addressRegister === undefined ? {} : { addressRegister }),
    ...(portRegister === undefined ? {} : { portRegister }),
  };
}

/** Codec of `tproxy`. */
export const tproxy: Codec<TproxyExpression> = { name: "tproxy", kinds: ["tproxy"], encode, decode };
