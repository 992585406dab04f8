/**
 * Rules under other names of sets and chains. Pure.
 * @module
 */
import type { NftExpression } from "../../../netlink/nft/expression.ts";
import type { PlannedSet } from "../../plan/rules/set.ts";
import type { CompiledChain, Statement, TableContents } from "../model.ts";

/** The name that a set or a chain is given. */
export interface Naming {
  readonly set: (name: string) => string;
  readonly chain: (name: string) => string;
}

/** Gives chains and sets other names. */
export function renameContents({ sets, chains }: TableContents, naming: Naming): TableContents {
  return {
    sets: sets.map((set): PlannedSet => ({ ...set, name: naming.set(set.name) })),
    chains: chains.map((chain): CompiledChain => ({
      ...chain,
      name: naming.chain(chain.name),
      rules: chain.rules.map((rule) => ({
        ...rule,
        statements: rule.statements.map((statement) => renameStatement(statement, naming)),
      })),
    })),
  };
}

function renameStatement(statement: Statement, naming: Naming): Statement {
  if ("chain" in statement) return { ...statement, chain: naming.chain(statement.chain) };
  // `set` of a verb may be bits.
  if (!("set" in statement) || typeof statement.set !== "string") return statement;
  return { ...statement, set: naming.set(statement.set) } as Statement;
}

/** Gives the expressions of a rule of the kernel other names. */
export function renameExpressions(expressions: readonly NftExpression[], naming: Naming): NftExpression[] {
  return expressions.map((expression) => {
    if (expression.kind === "lookup" || expression.kind === "dynset") {
      return { ...expression, set: naming.set(expression.set) };
    }
    if (expression.kind !== "verdict" || expression.verdict.chain === undefined) return expression;
    return {
      ...expression,
      verdict: { ...expression.verdict, chain: naming.chain(expression.verdict.chain) },
    };
  });
}
