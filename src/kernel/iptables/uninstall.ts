/**
 * Takes out of iptables what an install has put there, and nothing else.
 * @module
 */
import { OperationError } from "../../net/error.ts";
import { FAMILIES } from "../../net/families.ts";
import type { Family } from "../../net/ip.ts";
import { madeBy } from "./state/owner.ts";
import { findPrograms, type IptablesPrograms, missingProgram } from "./state/programs.ts";
import { removeLast } from "./state/remains.ts";
import { renderTransition } from "./state/restore.ts";
import type { SavedTable } from "./state/saved.ts";
import {
  hasOurLists,
  type InstalledIptables,
  isInstalled,
  mayHoldAny,
  readIptables,
  type StateSource,
} from "./state/state.ts";
import { removeUnreadable } from "./state/unreadable.ts";

/**
 * Removes our chains of every kind of iptables: with its programs; without them where those are not here, or
 * cannot read the tables. Gives what was removed, in words.
 */
export async function removeAllIptables(source: StateSource): Promise<string[]> {
  if (!mayHoldAny(source)) return [];
  const removed: string[] = [];
  const all = await findPrograms();
  for (const programs of all) {
    try {
      const installed = await readIptables(programs, source);
      if (isInstalled(installed)) removed.push(...await removeIptables(installed, source));
    } catch (error) {
      if (!(error instanceof OperationError) || programs.variant === "legacy") throw error;
    }
  }
  if (source.netfilter !== undefined) removed.push(...removeUnreadable(source.netfilter));
  // Before the routes go, without which what the rules mark would get nowhere.
  const shown = removed.length > 0 || all.some(({ variant }) => variant === "legacy");
  if (!shown && hasOurLists(source)) throw missingProgram("iptables-legacy");
  return removed;
}

/**
 * Removes our chains and the jumps to them; what was removed, in words. Chains that tproxy did not make are
 * left alone.
 */
async function removeIptables(
  { programs, tables }: InstalledIptables,
  source: StateSource,
): Promise<string[]> {
  const removed: string[] = [];
  for (const family of FAMILIES) {
    const ours = tables[family].filter(({ comment }) => comment !== undefined);
    const keepOwner = hasRemains(programs, source);
    const input = renderTransition(ours, [], { keepOwner });
    if (input === "") continue;
    await programs.restore(family, input);
    if (keepOwner) removeOwners(family, ours, source);
    removed.push(
      ...ours.map(({ table, chains }) =>
        `${family} chains of ${programs.version}, table ${table}: ${[...chains.keys()].join(" ")}`
      ),
    );
  }
  return removed;
}

/** Tells whether there is more to remove than iptables-restore can: tables of nf_tables. */
export function hasRemains(
  { variant }: IptablesPrograms,
  source: StateSource,
): source is StateSource & { readonly netfilter: NonNullable<StateSource["netfilter"]> } {
  return variant === "nf_tables" && source.netfilter !== undefined;
}

/** The last step for tables in which nothing but the owner's chain is. */
export function removeOwners(
  family: Family,
  tables: readonly SavedTable[],
  { netfilter }: StateSource,
): void {
  for (const { table, comment = "" } of tables) {
    removeLast(netfilter!, family, { table, made: madeBy(comment) });
  }
}
