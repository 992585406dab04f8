/**
 * Puts a plan into iptables and policy routing, all of it or nothing.
 *
 * As with nf_tables, routing comes first and stale entries go last. Each table of each family is a step of
 * its own, in which it changes from the earlier install's rules to the new ones; `raw` is the last of a
 * family, and until then nothing is marked that the others would act on. If a step fails, the tables of both
 * families are put back.
 * @module
 */
import { OperationError } from "../../net/error.ts";
import { FAMILIES } from "../../net/families.ts";
import type { Family } from "../../net/ip.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import type { InstallReport } from "../backend/backend.ts";
import type { Plan } from "../plan/model.ts";
import { RoutingChange } from "../routing/apply.ts";
import { CHAIN_PREFIX, type FamilyRules, type TableRules } from "./compile/model.ts";
import { madeBy, withOwner } from "./state/owner.ts";
import { type IptablesPrograms, missingProgram } from "./state/programs.ts";
import { foreseeMade, removeMade } from "./state/remains.ts";
import { renderTransition } from "./state/restore.ts";
import { type SavedTable, toTableRules } from "./state/saved.ts";
import { isInstalled, readIptables, refuseForeignChains, type StateSource } from "./state/state.ts";
import { hasRemains, removeOwners } from "./uninstall.ts";

/** The kernel and the programs with which an install works. */
export interface IptablesKernel extends StateSource {
  readonly route: NetlinkConnection;
  readonly programs: IptablesPrograms;
}

/** Gives the tables of a family that are to take the place of those that are there. */
export type WantedTables = (family: Family, installed: readonly SavedTable[]) => TableRules[];

/** Says where the rules are. */
function placeOf({ programs }: IptablesKernel): string {
  return `chains ${CHAIN_PREFIX}… of ${programs.version}`;
}

/**
 * Makes the kernel's state that of the plan, whose rules these are. Throws an OperationError; then the state
 * before is there again. `beside`: they are to stand beside the former ones; what makes them hold comes last.
 */
export async function applyIptablesInstall(
  plan: Plan,
  rules: readonly FamilyRules[],
  kernel: IptablesKernel,
  beside?: { readonly wanted: WantedTables; readonly last: () => void },
): Promise<InstallReport> {
  const { route, programs } = kernel;
  const installed = await readIptables(programs, kernel);
  refuseForeignChains(installed);
  await requireUsable(programs, rules);
  const earlier = isInstalled(installed);
  const keepOwner = hasRemains(programs, kernel);
  const touched: Family[] = [];
  const routing = RoutingChange.begin(plan, { route, earlier });
  try {
    for (const family of FAMILIES) {
      const before = installed.tables[family];
      const wanted = beside?.wanted(family, before) ??
        wantedTables(rules, family, { installed: before, kernel });
      const input = renderTransition(installed.tables[family], wanted, { keepOwner });
      if (input === "") continue;
      touched.push(family);
      await programs.restore(family, input);
    }
    beside?.last();
  } catch (error) {
    const failed = await putBack(touched, installed.tables, kernel);
    if (failed !== undefined) throw failed;
    throw routing.takeBack(error);
  }
  const report = { replaced: earlier, place: placeOf(kernel) };
  if (beside !== undefined) return report;
  if (keepOwner) {
    for (const family of FAMILIES) {
      const wanted = rules.find((each) => each.family === family)?.tables ?? [];
      removeOwners(family, without(installed.tables[family], wanted), kernel);
    }
  }
  routing.finish();
  return report;
}

/**
 * Throws before anything is changed: where programs of a family are missing; and where iptables-nft cannot
 * read one of the tables, as another program has put rules of nf_tables into it: nobody could tell afterwards
 * what is there. Makes no table.
 */
async function requireUsable(programs: IptablesPrograms, rules: readonly FamilyRules[]): Promise<void> {
  for (const { family, tables } of rules) {
    const [missing] = programs.missing(family);
    if (missing !== undefined) throw missingProgram(missing);
    if (programs.variant === "legacy") continue;
    for (const { table } of tables) await programs.save(family, table);
  }
}

/** The tables of a family with their owner's rule, which says what iptables-nft makes for them. */
function wantedTables(
  rules: readonly FamilyRules[],
  family: Family,
  { installed, kernel }: { installed: readonly SavedTable[]; kernel: IptablesKernel },
): TableRules[] {
  const tables = rules.find((each) => each.family === family)?.tables ?? [];
  return tables.map((table) => {
    const before = installed.find((saved) => saved.table === table.table);
    const made = [
      ...madeBy(before?.comment ?? ""),
      ...madeBy(before?.trialComment ?? ""),
      ...(hasRemains(kernel.programs, kernel) ? foreseeMade(kernel.netfilter, family, table) : []),
    ];
    return withOwner(table, [...new Set(made)]);
  });
}

/** Puts tables back into their state before. Returns the error of a failure, which tells what to do. */
async function putBack(
  families: readonly Family[],
  before: Readonly<Record<Family, readonly SavedTable[]>>,
  kernel: IptablesKernel,
): Promise<OperationError | undefined> {
  try {
    for (const family of families.toReversed()) {
      const now = (await readIptables(kernel.programs, kernel)).tables[family];
      const keepOwner = hasRemains(kernel.programs, kernel);
      const input = renderTransition(now, before[family].map(toTableRules), { keepOwner });
      if (input !== "") await kernel.programs.restore(family, input);
      if (!keepOwner) continue;
      removeOwners(family, without(now, before[family]), kernel);
      for (const { table, comment = "" } of before[family]) {
        const names = madeBy(now.find((saved) => saved.table === table)?.comment ?? "")
          .filter((name) => !madeBy(comment).includes(name));
        removeMade(kernel.netfilter, family, { table, names });
      }
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const { operation, object, errno, reason } = error;
    const hint = 'An install failed in its middle, and so did taking it back: run "tproxy uninstall"';
    return new OperationError({ operation, object, errno, reason, hint }, { cause: error });
  }
}

/** Tables that are not among others. */
function without(tables: readonly SavedTable[], others: readonly { readonly table: string }[]): SavedTable[] {
  return tables.filter(({ table }) => !others.some((other) => other.table === table));
}
