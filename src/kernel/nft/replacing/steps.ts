/**
 * A table in place of the one that is there, in two atomic steps. Right behind a transaction the kernel does
 * not find the elements of a set of ranges that is new, for some 20 µs and longer for long lists (Linux
 * 6.18): packets would meet rules that match nothing. So the sets come first, and then, at once, all rules.
 * Pure.
 * @module
 */
import { NftBatch } from "../../../netlink/nft/batch.ts";
import type { NftSet } from "../../../netlink/nft/sets/set.ts";
import { addSets, exchangeContents } from "../batch.ts";
import type { CompiledTable } from "../model.ts";
import { isMemory, setProperties } from "../set_elements.ts";
import type { InstalledTableHead } from "../state/state.ts";
import { isHookOf } from "../state/status.ts";
import type { PlannedSet } from "../../plan/rules/set.ts";
import { inTurn, isOfRanges } from "./turns.ts";

/** The steps. */
export interface Steps {
  readonly sets: NftBatch;
  readonly rules: NftBatch;
  /** Takes the first back, where the second fails. */
  readonly undo: NftBatch;
}

/** The objects of the table that is there. */
export interface TableObjects extends InstalledTableHead {
  readonly sets: readonly NftSet[];
}

/**
 * Plans the steps; `rules`: after what that does. undefined: one step is as good, or more than this has to be
 * mended.
 */
export function planSteps(table: CompiledTable, there: TableObjects, rules: NftBatch): Steps | undefined {
  if (there.table.flags?.includes("dormant")) return undefined;
  const next = inTurn(table, new Set(there.sets.map(({ name }) => name)));
  const ranges = next?.sets.filter((set) => isOfRanges(setProperties(set))) ?? [];
  if (next === undefined || ranges.length === 0) return undefined;
  const where = { family: "inet", table: table.name } as const;
  const sets = new NftBatch();
  addSets(sets, where, ranges);
  const undo = new NftBatch();
  for (const { name } of ranges) undo.deleteSet({ ...where, name });

  const keptChains = there.chains.filter((chain) =>
    next.chains.some((one) => one.name === chain.name && isHookOf(one, chain))
  );
  const keptSets = there.sets.filter((set) => next.sets.some((one) => isSameMemory(one, set)));
  const named = there.sets.filter(({ flags }) => !flags?.includes("anonymous"));
  exchangeContents(rules, where, {
    before: there.chains,
    gone: { chains: without(there.chains, keptChains), sets: without(named, keptSets) },
    added: {
      chains: without(next.chains, keptChains),
      sets: without(next.sets, [...keptSets, ...ranges]),
    },
    next: next.chains,
  });
  return { sets, rules, undo };
}

function without<T extends { readonly name: string }>(
  all: readonly T[],
  others: readonly { readonly name: string }[],
): T[] {
  const names = new Set(others.map(({ name }) => name));
  return all.filter(({ name }) => !names.has(name));
}

/** Tells whether the set stays, with what packets have put into it. */
function isSameMemory(set: PlannedSet, there: NftSet): boolean {
  if (!isMemory(set) || set.name !== there.name) return false;
  const { type, size, timeoutMs } = setProperties(set);
  return type.join() === there.type.join() && size === there.size && timeoutMs === there.timeoutMs;
}
