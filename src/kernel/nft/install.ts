/**
 * Puts a plan into nf_tables and policy routing, all of it or nothing.
 *
 * One atomic batch replaces the table: from then on the new state holds. A failure up to the batch leaves an
 * earlier install as it was.
 * @module
 */
import { TABLE_NAME } from "../../constants.ts";
import type { InstallReport } from "../backend/backend.ts";
import type { KernelConnections } from "../machine/connections.ts";
import type { Plan } from "../plan/model.ts";
import { RoutingChange } from "../routing/apply.ts";
import { replaceTable } from "./batch.ts";
import { compileTable } from "./compile.ts";
import { readTableHead, refuseForeignTable } from "./state/state.ts";

/** The place of the rules, in words. */
export const PLACE = `table inet ${TABLE_NAME}`;

/**
 * Makes the kernel's state that of the plan. Throws an OperationError; then the state before is there again.
 */
export function applyInstall(plan: Plan, { route, netfilter }: KernelConnections): InstallReport {
  const installed = readTableHead(netfilter);
  refuseForeignTable(installed);
  const replaced = installed !== undefined;
  const routing = RoutingChange.begin(plan, { route, earlier: replaced });
  try {
    replaceTable(compileTable(plan)).commit(netfilter);
  } catch (error) {
    throw routing.takeBack(error);
  }
  routing.finish();
  return { replaced, place: PLACE };
}
