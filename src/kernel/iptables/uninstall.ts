/**
 * Takes out of iptables what an install has put there, and nothing else.
 * @module
 */
import { FAMILIES } from "../../net/families.ts";
import type { Family } from "../../net/ip.ts";
import { madeBy } from "./state/owner.ts";
import type { IptablesPrograms } from "./state/programs.ts";
import { removeLast } from "./state/remains.ts";
import { renderTransition } from "./state/restore.ts";
import type { SavedTable } from "./state/saved.ts";
import type { InstalledIptables, StateSource } from "./state/state.ts";

/** Removes our chains and the jumps to them; what was removed, in words. Chains that tproxy did not make are left alone. */
export async function removeIptables(
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

/** Whether there is more to remove than what iptables-restore can: tables of nf_tables. */
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
