/**
 * Recognises that the kernel refused a rule because it lacks one of its expressions. Pure.
 * @module
 */
import { ENOENT, EOPNOTSUPP } from "../../net/errno.ts";
import { align, readAttributes } from "../attribute.ts";
import { MESSAGE_HEADER_SIZE, type NetlinkAnswer } from "../message.ts";
import { expressionName, type NftExpression } from "./expression.ts";

/** sizeof(struct nfgenmsg) */
const NFT_HEADER_SIZE = 4;
const ATTRIBUTE_HEADER_SIZE = 4;
/** Beginning of a message's attributes. */
const FIRST_ATTRIBUTE = MESSAGE_HEADER_SIZE + NFT_HEADER_SIZE;
// linux/netfilter/nf_tables.h: enum nft_rule_attributes
const NFTA_RULE_EXPRESSIONS = 4;
const RULE_PARTS: Readonly<Record<number, string>> = { 1: "the table's name", 2: "the chain's name" };

/** The kernel module of each expression that a kernel may come without. */
const MODULES: Readonly<Record<string, string>> = {
  tproxy: "nft_tproxy",
  socket: "nft_socket",
  fib: "nft_fib_inet",
  notrack: "nft_ct",
  ct: "nft_ct",
  reject: "nft_reject_inet",
  log: "nfnetlink_log", // of the two that it needs the one that comes in a package of its own
  nat: "nft_nat",
};

/**
 * The module that a refused rule misses, if an expression is what the kernel does not know. With extended
 * acks the kernel points at it; without, ENOENT could also be a set or a chain, so the first of the rule's
 * optional expressions is only suspected.
 */
export function missingExpressionModule(
  expressions: readonly NftExpression[],
  ruleAttributes: Uint8Array,
  answer: NetlinkAnswer,
): string | undefined {
  if (answer.errno !== ENOENT && answer.errno !== EOPNOTSUPP) return undefined;
  const optional = expressions.filter((expression) => expressionName(expression) in MODULES);
  if (answer.offset === undefined) {
    return optional.length === 0 ? undefined : MODULES[expressionName(optional[0])];
  }
  const index = expressionAt(ruleAttributes, answer.offset);
  return index === undefined ? undefined : MODULES[expressionName(expressions[index])];
}

/**
 * Names the part of an encoded rule that a byte of its message belongs to: `"expression 2 (tproxy)"`,
 * `"the chain's name"`.
 */
export function locateInRule(
  expressions: readonly NftExpression[],
  ruleAttributes: Uint8Array,
  offset: number,
): string | undefined {
  const index = expressionAt(ruleAttributes, offset);
  if (index !== undefined) return `expression ${index + 1} (${expressionName(expressions[index])})`;
  let start = FIRST_ATTRIBUTE;
  for (const { type, data } of readAttributes(ruleAttributes)) {
    if (offset >= start && offset < start + ATTRIBUTE_HEADER_SIZE + data.length) return RULE_PARTS[type];
    start += ATTRIBUTE_HEADER_SIZE + align(data.length);
  }
  return undefined;
}

/** Finds the expression of an encoded rule that a byte of its message belongs to. */
function expressionAt(ruleAttributes: Uint8Array, offset: number): number | undefined {
  const list = readAttributes(ruleAttributes).find(({ type }) => type === NFTA_RULE_EXPRESSIONS);
  if (list === undefined) return undefined;
  let start = FIRST_ATTRIBUTE + list.data.byteOffset - ruleAttributes.byteOffset;
  const sizes = readAttributes(list.data).map(({ data }) => ATTRIBUTE_HEADER_SIZE + align(data.length));
  for (let index = 0; index < sizes.length; start += sizes[index], index++) {
    if (offset >= start && offset < start + sizes[index]) return index;
  }
  return undefined;
}
