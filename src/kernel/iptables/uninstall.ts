/**
 * Takes out of iptables what an install has put there, and nothing else.
 * @module
 */
import type { Family } from "../../net/ip.ts";
import { madeBy } from "./owner.ts";
import { removeMade } from "./remains.ts";
import { renderTransition } from "./restore.ts";
import type { InstalledIptables, StateSource } from "./state.ts";

/** Removes our chains and the jumps to them; what was removed, in words. Chains that tproxy did not make are left alone. */
export async function removeIptables(
  { programs, tables }: InstalledIptables,
  { netfilter }: StateSource,
): Promise<string[]> {
  const removed: string[] = [];
  for (const family of ["ipv4", "ipv6"] as const satisfies readonly Family[]) {
    const ours = tables[family].filter(({ comment }) => comment !== undefined);
    const input = renderTransition(ours, []);
    if (input === "") continue;
    await programs.restore(family, input);
    for (const { table, chains, comment } of ours) {
      removed.push(
        `${family} chains of ${programs.version}, table ${table}: ${[...chains.keys()].join(" ")}`,
      );
      if (programs.variant === "nf_tables" && netfilter !== undefined) {
        removeMade(netfilter, family, { table, made: madeBy(comment!) });
      }
    }
  }
  return removed;
}
