/**
 * nf_tables rules. The codec is pure.
 * @module
 */
import { AttributeWriter } from "../attribute.ts";
import type { NetlinkConnection } from "../connection.ts";
import { required } from "./data.ts";
import { dumpObjects } from "./dump.ts";
import { type NftExpression, readExpressions, writeExpressions } from "./expression.ts";
import { type NftFamily, readNftBody } from "./message.ts";
import { decodeComment, encodeComment } from "./user_data.ts";

// linux/netfilter/nf_tables.h: enum nft_rule_attributes
const NFTA_RULE_TABLE = 1;
const NFTA_RULE_CHAIN = 2;
const NFTA_RULE_HANDLE = 3;
const NFTA_RULE_EXPRESSIONS = 4;
const NFTA_RULE_POSITION = 6;
const NFTA_RULE_USERDATA = 7;

/** Handle of a rule, with its chain. */
export interface RuleHandle {
  /** Family of the table. */
  readonly family: NftFamily;
  /** Its table. */
  readonly table: string;
  /** Its chain. */
  readonly chain: string;
  /** The kernel's number of it. */
  readonly handle: bigint;
}

/** A rule. */
export interface NftRule {
  /** Family of the table. */
  readonly family: NftFamily;
  /** Its table. */
  readonly table: string;
  /** Its chain. */
  readonly chain: string;
  /** Its expressions, in order. */
  readonly expressions: readonly NftExpression[];
  /** For the administrator, as nft shows it. */
  readonly comment?: string;
  /** The kernel's number of it; known after a dump. */
  readonly handle?: bigint;
}

/**
 * The attributes of NFT_MSG_NEWRULE: a new rule at the end of its chain, or after the rule with handle
 * `after`.
 */
export function encodeRule(rule: NftRule, options: { after?: bigint } = {}): Uint8Array {
  const writer = new AttributeWriter()
    .string(NFTA_RULE_TABLE, rule.table)
    .string(NFTA_RULE_CHAIN, rule.chain);
  if (options.after !== undefined) writer.u64be(NFTA_RULE_POSITION, options.after);
  writeExpressions(writer, NFTA_RULE_EXPRESSIONS, rule.expressions);
  if (rule.comment !== undefined) writer.bytes(NFTA_RULE_USERDATA, encodeComment(rule.comment));
  return writer.finish();
}

/**
 * The attributes that name a rule; without a handle, all rules of the chain; without a chain, of the table.
 */
export function encodeRuleName(rule: { table: string; chain?: string; handle?: bigint }): Uint8Array {
  const writer = new AttributeWriter().string(NFTA_RULE_TABLE, rule.table);
  if (rule.chain !== undefined) writer.string(NFTA_RULE_CHAIN, rule.chain);
  if (rule.handle !== undefined) writer.u64be(NFTA_RULE_HANDLE, rule.handle);
  return writer.finish();
}

/** Reads the body of NFT_MSG_NEWRULE. */
export function decodeRule(body: Uint8Array): NftRule {
  const { family, attributes } = readNftBody(body);
  const comment = decodeComment(attributes.bytes(NFTA_RULE_USERDATA));
  const handle = attributes.u64be(NFTA_RULE_HANDLE);
  return {
    family,
    table: required(attributes.string(NFTA_RULE_TABLE), "NFTA_RULE_TABLE"),
    chain: required(attributes.string(NFTA_RULE_CHAIN), "NFTA_RULE_CHAIN"),
    expressions: readExpressions(attributes.bytes(NFTA_RULE_EXPRESSIONS) ?? new Uint8Array(0)),
    ...(comment === undefined ? {} : { comment }),
    ...(handle === undefined ? {} : { handle }),
  };
}

/** The rules of a table, or of one chain of it, in order. Equivalent to: nft list chain inet T C */
export function listRules(
  connection: NetlinkConnection,
  where: { family: NftFamily; table: string; chain?: string },
): NftRule[] {
  const bodies = dumpObjects(connection, "rule", {
    family: where.family,
    attributes: encodeRuleName({
      table: where.table,
      ...(where.chain === undefined ? {} : { chain: where.chain }),
    }),
    object: where.chain === undefined ? where.table : `${where.table}/${where.chain}`,
  });
  // Kernels before 4.15 ignore the filter.
  return bodies.map(decodeRule).filter((rule) =>
    rule.table === where.table && (where.chain === undefined || rule.chain === where.chain)
  );
}
