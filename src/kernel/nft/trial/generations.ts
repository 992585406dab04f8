/**
 * Two generations of rules in one table: those on trial, and the former ones. A set whose elements the kernel
 * takes away in time is the gate between them: while it holds the family of a packet, the rules on trial see
 * that packet, and then the former ones again, without anybody's doing. Pure.
 * @module
 */
import { TRIAL_PREFIX } from "../../../constants.ts";
import { FAMILIES, FAMILY_NUMBERS } from "../../../net/families.ts";
import type { NftExpression } from "../../../netlink/nft/expression.ts";
import * as phrase from "../../../netlink/nft/phrases.ts";
import type { NftElement } from "../../../netlink/nft/sets/element.ts";
import type { NftSet } from "../../../netlink/nft/sets/set.ts";
import type { TableContents } from "../model.ts";
import { renameContents, renameExpressions } from "../replacing/renaming.ts";

/** The gate. */
export const TRIAL_SET = "trial";

/** Properties of the gate. */
export const GATE: Pick<NftSet, "type" | "flags"> = { type: ["nf_proto"], flags: ["timeout"] };

/** The elements by which the rules on trial hold for that long. */
export function gateElements(timeoutMs: number): NftElement[] {
  return FAMILIES.map((family) => ({ key: Uint8Array.of(FAMILY_NUMBERS[family]), timeoutMs }));
}

/** The rule with which a base chain of either generation begins. */
export function gateRule(generation: "on trial" | "former"): NftExpression[] {
  const gate = phrase.networkFamily({ set: TRIAL_SET }, { negate: generation === "on trial" });
  return [...gate, ...phrase.verdict("return")];
}

/** Tells whether an object is of the generation on trial, by its name. */
export function isOnTrial(name: string): boolean {
  return name.startsWith(TRIAL_PREFIX);
}

/** Gives chains and sets their names on trial. */
export function putOnTrial(contents: TableContents): TableContents {
  const onTrial = (name: string) => TRIAL_PREFIX + name;
  return renameContents(contents, { set: onTrial, chain: onTrial });
}

/** Gives a name on trial as it is without one. */
export function plainName(name: string): string {
  return isOnTrial(name) ? name.slice(TRIAL_PREFIX.length) : name;
}

/** Gives the expressions of a rule on trial as they are without one. */
export function plainExpressions(expressions: readonly NftExpression[]): NftExpression[] {
  return renameExpressions(expressions, { set: plainName, chain: plainName });
}

/** Tells whether a rule is the gate of a base chain, of either generation. */
export function isGate(expressions: readonly NftExpression[]): boolean {
  return expressions.some((expression) => expression.kind === "lookup" && expression.set === TRIAL_SET);
}
