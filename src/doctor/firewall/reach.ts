/**
 * The rules that a packet can come to from a base chain. Pure.
 * @module
 */
import type { NftRule } from "../../netlink/nft/rule.ts";
import { type FindSet, listVerdicts } from "../packet/known_set.ts";
import type { FirewallChain } from "./chain.ts";

/** Lists them: of the chain, and of all that it jumps to. */
export function reachableRules({ chain, table }: FirewallChain): NftRule[] {
  if (table === undefined) return [];
  const reached = new Set([chain.name]);
  for (const name of reached) {
    for (const rule of table.rules) {
      if (rule.chain !== name) continue;
      for (const next of jumpsOf(rule, table.findSet)) reached.add(next);
    }
  }
  return table.rules.filter((rule) => reached.has(rule.chain));
}

function jumpsOf({ expressions }: NftRule, findSet: FindSet): string[] {
  return expressions.flatMap((expression) => {
    if (expression.kind === "verdict") return expression.verdict.chain ?? [];
    if (expression.kind !== "lookup" || expression.destination !== 0) return [];
    const map = findSet(expression.set);
    return map === undefined ? [] : listVerdicts(map).flatMap(({ chain }) => chain ?? []);
  });
}
