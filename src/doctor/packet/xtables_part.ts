/**
 * The expressions `match` and `target` of nft_compat, as which iptables-nft writes extensions. Pure.
 * @module
 */
import { AttributeMap, AttributeWriter } from "../../netlink/attribute.ts";
import type { NftExpression, UnknownExpression } from "../../netlink/nft/expression.ts";
import type { XtablesPart } from "./xtables_match.ts";

// linux/netfilter/nf_tables_compat.h: enum nft_match_attributes, enum nft_target_attributes, the same numbers
const NAME = 1;
const REVISION = 2;
const INFO = 3;

/** Reads an extension; undefined where the expression is none. */
export function readXtablesPart(
  expression: NftExpression,
  kind: "match" | "target",
): XtablesPart | undefined {
  if (expression.kind !== "unknown" || expression.name !== kind) return undefined;
  const attributes = attributesOf(expression);
  const name = attributes?.string(NAME);
  if (attributes === undefined || name === undefined) return undefined;
  return {
    name,
    revision: attributes.u32be(REVISION) ?? 0,
    info: attributes.bytes(INFO) ?? new Uint8Array(),
  };
}

/** The inverse of it. */
export function writeXtablesPart(kind: "match" | "target", part: XtablesPart): UnknownExpression {
  const { name, revision, info } = part;
  const data = new AttributeWriter().string(NAME, name).u32be(REVISION, revision).bytes(INFO, info).finish();
  return { kind: "unknown", name: kind, data };
}

/** The attributes of an expression that this program does not know; undefined where it has no sound ones. */
export function attributesOf({ data }: UnknownExpression): AttributeMap | undefined {
  try {
    return new AttributeMap(data);
  } catch {
    return undefined;
  }
}
