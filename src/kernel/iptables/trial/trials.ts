/**
 * Installs on trial with iptables: the beginning and the end, each table of each family in one step. Both
 * generations stand before the gate opens, so all of them change at one moment.
 * @module
 */
import { ENOENT } from "../../../net/errno.ts";
import { OperationError } from "../../../net/error.ts";
import { FAMILIES } from "../../../net/families.ts";
import type { InstallReport } from "../../backend/backend.ts";
import type { Plan } from "../../plan/model.ts";
import type { FamilyRules } from "../compile/model.ts";
import { foreseeMade, removeMade } from "../state/remains.ts";
import { renderTransition } from "../state/restore.ts";
import { toTableRules } from "../state/saved.ts";
import { madeBy } from "../state/owner.ts";
import { readIptables } from "../state/state.ts";
import { hasRemains, removeOwners } from "../uninstall.ts";
import { applyIptablesInstall, type IptablesKernel, type WantedTables } from "../install.ts";
import { openGates, readGates } from "./gate.ts";
import { gateSeconds, joinGenerations, tablesInForce } from "./generations.ts";

/**
 * Puts the rules of the plan before those that are there, for so many milliseconds. Routing of both stands
 * meanwhile. Throws as an install does.
 */
export async function applyIptablesTrial(
  plan: Plan,
  rules: readonly FamilyRules[],
  kernel: IptablesKernel,
  timeoutMs: number,
): Promise<InstallReport> {
  const seconds = gateSeconds(timeoutMs);
  const wanted: WantedTables = (family, installed) =>
    joinGenerations(rules.find((each) => each.family === family) ?? { family, tables: [] }, installed, {
      seconds,
      made: (table) =>
        hasRemains(kernel.programs, kernel) ? foreseeMade(kernel.netfilter, family, table) : [],
    });
  return await applyIptablesInstall(plan, rules, kernel, { wanted, last: openGates });
}

/** Makes what is on trial an install. Throws as that does, ENOENT where the trial is over. */
export async function keepIptablesTrial(
  plan: Plan,
  rules: readonly FamilyRules[],
  kernel: IptablesKernel,
): Promise<InstallReport> {
  const left = readGates();
  if (left === undefined || left === 0) {
    throw new OperationError({ operation: "keep", object: "the rules on trial", errno: ENOENT });
  }
  openGates(); // not to end in the middle
  return await applyIptablesInstall(plan, rules, kernel);
}

/** Takes the rules on trial away: the former ones are as they were before. False: there are none. */
export async function removeIptablesTrial(kernel: Omit<IptablesKernel, "route">): Promise<boolean> {
  const { tables } = await readIptables(kernel.programs, kernel);
  let found = false;
  for (const family of FAMILIES) {
    const former = tablesInForce(tables[family], { onTrial: false });
    const keepOwner = hasRemains(kernel.programs, kernel);
    const ends = tables[family].filter((table) => !former.includes(table));
    if (ends.length === 0) continue;
    found = true;
    const input = renderTransition(
      ends,
      former.map(toTableRules).filter(({ table }) => ends.some((end) => end.table === table)),
      { keepOwner },
    );
    await kernel.programs.restore(family, input);
    if (!keepOwner) continue;
    removeOwners(family, ends.filter(({ table }) => !former.some((each) => each.table === table)), kernel);
    for (const { table, trialComment = "" } of ends) {
      const names = madeBy(trialComment);
      if (names.length > 0) removeMade(kernel.netfilter, family, { table, names });
    }
  }
  return found;
}
