/**
 * Rules in a form that can be compared: what a plan asks for against what the kernel holds. Pure.
 * @module
 */
import { hexBytes } from "../../../net/hex.ts";
import type { NftExpression } from "../../../netlink/nft/expression.ts";
import { lowerRule } from "../lower.ts";
import type { Statement } from "../model.ts";
import type { InstalledSet } from "./state.ts";

/** A planned rule. */
export function canonicalPlan(statements: readonly Statement[]): string {
  return canonicalize(lowerRule(statements, (_type, keys) => ({ set: nameByContent(keys) })), (set) => set);
}

/** A rule of the kernel; `sets` are those of its table. */
export function canonicalRule(expressions: readonly NftExpression[], sets: readonly InstalledSet[]): string {
  return canonicalize(expressions, (name) => {
    const set = sets.find((set) => set.name === name);
    if (set?.flags?.includes("anonymous") !== true) return name;
    return nameByContent(set.elements.map(({ key }) => key));
  });
}

function canonicalize(expressions: readonly NftExpression[], nameSet: (name: string) => string): string {
  return JSON.stringify(
    expressions.filter(({ kind }) => kind !== "counter").map((expression) => {
      if (expression.kind === "dynset") {
        const { setId: _, ...rest } = expression;
        return rest;
      }
      if (expression.kind !== "lookup") return expression;
      const { set, register, inverted } = expression;
      return { kind: "lookup", set: nameSet(set), register, inverted: inverted === true };
    }),
    (_key, value) => value instanceof Uint8Array ? hexBytes(value) : value,
  );
}

/** Anonymous sets are numbered by the kernel: their content stands for them. */
function nameByContent(keys: readonly Uint8Array[]): string {
  return `{${keys.map((key) => hexBytes(key)).toSorted().join(",")}}`;
}
