/**
 * Effects of others' rules on a client's packet: marks, NAT, helpers. Pure.
 * @module
 */
import { LITTLE_ENDIAN } from "../../netlink/attribute.ts";
import type { NftExpression, UnknownExpression } from "../../netlink/nft/expression.ts";
import { attributesOf, readXtablesPart } from "../packet/xtables_part.ts";

const WHOLE = 0xffffffff;

/**
 * The bits of the packet mark that a rule keeps where it writes the mark; undefined where it does not write
 * it. Clients' packets are untracked while they are taken early: rules end that ask for their flow's mark.
 */
export function keptMark(expressions: readonly NftExpression[]): number | undefined {
  const kept = new Map<number, number>();
  for (const expression of expressions) {
    switch (expression.kind) {
      case "meta":
        if (expression.direction === "set") {
          if (expression.key === "mark") return kept.get(expression.register) ?? 0;
        } else kept.set(expression.register, expression.key === "mark" ? WHOLE : 0);
        break;
      case "ct":
        if (expression.direction === "load" && expression.key === "mark") return undefined;
        break;
      case "bitwise": {
        const mask = read(expression.mask, 0);
        kept.set(expression.destination, ((kept.get(expression.source) ?? 0) & mask) >>> 0);
        break;
      }
      case "unknown": {
        const bits = keptByTarget(expression);
        if (bits !== undefined) return bits;
        break;
      }
      default:
    }
  }
  return undefined;
}

/** xt_mark_tginfo2: mark, mask. CONNMARK writes only where a packet has a flow in conntrack. */
function keptByTarget(expression: NftExpression): number | undefined {
  const target = readXtablesPart(expression, "target");
  return target?.name === "MARK" ? ~read(target.info, 4) >>> 0 : undefined;
}

function read(bytes: Uint8Array, at: number): number {
  return bytes.length < at + 4
    ? WHOLE
    : new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, LITTLE_ENDIAN);
}

const REDIRECTING = ["DNAT", "REDIRECT", "NETMAP"];
const MASQUERADING = ["MASQUERADE", "SNAT"];
// linux/netfilter/nf_tables.h: enum nft_nat_attributes, nft_nat_types; enum nft_objref_attributes
const NFTA_NAT_TYPE = 1;
const NFT_NAT_SNAT = 0;
const NFTA_OBJREF_IMM_TYPE = 1;
const NFT_OBJECT_CT_HELPER = 3;

/** Tells whether a rule gives a packet another destination. */
export function redirects(expressions: readonly NftExpression[]): boolean {
  return expressions.some((expression) =>
    expression.kind === "nat" && expression.type === "dnat" ||
    expression.kind === "unknown" &&
      (expression.name === "redir" ||
        expression.name === "nat" && natType(expression) !== NFT_NAT_SNAT ||
        REDIRECTING.includes(readXtablesPart(expression, "target")?.name ?? ""))
  );
}

/** Tells whether a rule gives a packet another source. */
export function masquerades(expressions: readonly NftExpression[]): boolean {
  return expressions.some((expression) =>
    expression.kind === "masquerade" || expression.kind === "nat" && expression.type === "snat" ||
    expression.kind === "unknown" &&
      (expression.name === "masq" || expression.name === "nat" && natType(expression) === NFT_NAT_SNAT ||
        MASQUERADING.includes(readXtablesPart(expression, "target")?.name ?? ""))
  );
}

function natType(expression: UnknownExpression): number | undefined {
  return attributesOf(expression)?.u32be(NFTA_NAT_TYPE);
}

/** Tells whether a rule refuses a packet, and tells its sender. */
export function rejects(expressions: readonly NftExpression[]): boolean {
  return expressions.some((expression) =>
    expression.kind === "reject" || readXtablesPart(expression, "target")?.name === "REJECT"
  );
}

/** Tells whether a rule gives a packet to a transparent proxy. */
export function steers(expressions: readonly NftExpression[]): boolean {
  return expressions.some((expression) =>
    expression.kind === "tproxy" || readXtablesPart(expression, "target")?.name === "TPROXY"
  );
}

/** Tells whether a rule goes by the incoming interface, or by the packet's mark or its flow's. */
export function asksForOrigin(expressions: readonly NftExpression[]): boolean {
  return expressions.some((expression) => {
    if (expression.kind === "meta" && expression.direction === "load") {
      return ["iif", "iifname", "iifgroup", "mark"].includes(expression.key);
    }
    if (expression.kind === "ct") return expression.direction === "load" && expression.key === "mark";
    return ["mark", "connmark"].includes(readXtablesPart(expression, "match")?.name ?? "");
  });
}

/** Tells whether a rule gives a flow to a helper of conntrack: `ct helper set`, `-j CT --helper`. */
export function assignsHelper(expressions: readonly NftExpression[]): boolean {
  return expressions.some((expression) => {
    if (expression.kind !== "unknown") return false;
    if (expression.name === "objref") return isHelperReference(expression);
    const target = readXtablesPart(expression, "target");
    // xt_ct_target_info: flags and zone (u16 each), events (u32 each), the name of the helper.
    return target?.name === "CT" && target.info.length > 12 && target.info[12] !== 0;
  });
}

function isHelperReference(expression: UnknownExpression): boolean {
  return attributesOf(expression)?.u32be(NFTA_OBJREF_IMM_TYPE) === NFT_OBJECT_CT_HELPER;
}
