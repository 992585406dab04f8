/**
 * The rules of a running proxy in place of those before, as one atomic batch: what packets have put into sets
 * stays. Pure.
 * @module
 */
import { NftBatch } from "../../netlink/nft/batch.ts";
import { exchangeContents } from "../nft/batch.ts";
import type { CompiledChain, CompiledTable, TableContents } from "../nft/model.ts";
import { isMemory } from "../nft/set_elements.ts";
import type { PlannedSet } from "../plan/rules/set.ts";

/** Turns the contents of one table into those of another of the same name. */
export function replaceContents(before: TableContents, next: CompiledTable): NftBatch {
  const batch = new NftBatch();
  const where = { family: "inet", table: next.name } as const;
  const chains = split(before.chains, next.chains, isSameChain);
  const sets = split(before.sets, next.sets, isSameSet);
  exchangeContents(batch, where, {
    before: before.chains,
    gone: { chains: chains.gone, sets: sets.gone },
    added: { chains: chains.added, sets: sets.added },
    next: next.chains,
  });
  return batch;
}

function split<T>(
  before: readonly T[],
  next: readonly T[],
  isSame: (one: T, other: T) => boolean,
): { readonly gone: readonly T[]; readonly added: readonly T[] } {
  return {
    gone: before.filter((one) => !next.some((other) => isSame(one, other))),
    added: next.filter((one) => !before.some((other) => isSame(one, other))),
  };
}

function isSameChain(one: CompiledChain, other: CompiledChain): boolean {
  return one.name === other.name && JSON.stringify(one.hook) === JSON.stringify(other.hook);
}

/** Compares sets. One of ranges that is made anew matches nothing for a moment: nft/replacing/steps.ts. */
function isSameSet(one: PlannedSet, other: PlannedSet): boolean {
  if (!isMemory(one) || !isMemory(other)) return JSON.stringify(one) === JSON.stringify(other);
  return one.name === other.name && one.type === other.type && one.size === other.size &&
    one.timeoutSeconds === other.timeoutSeconds;
}
