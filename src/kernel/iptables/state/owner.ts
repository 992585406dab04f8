/**
 * The rule that tells whose our chains are, and what else an install has made: iptables-nft makes tables and
 * built-in chains at need, which uninstall takes away again. Pure.
 * @module
 */
import { type IptablesChain, OWNER_CHAIN, OWNER_COMMENT, type TableRules } from "../compile/model.ts";

/**
 * The table with the owner's chain. `made`: built-in chains that were not there before, and `table` for the
 * table itself.
 */
export function withOwner(rules: TableRules, made: readonly string[]): TableRules {
  const comment = made.length === 0 ? OWNER_COMMENT : `${OWNER_COMMENT}, with ${made.join(" ")}`;
  const chain: IptablesChain = {
    name: OWNER_CHAIN,
    rules: [{ text: `-m comment --comment "${comment}"`, reason: "Nothing leads here" }],
    reason: "By it the chains are known as ours",
  };
  return { ...rules, chains: [chain, ...rules.chains] };
}

/** Reads from the comment of an install the objects that it has made. */
export function madeBy(comment: string): string[] {
  return /, with (.*)$/.exec(comment)?.[1].split(" ") ?? [];
}
