/**
 * Puts a plan into nf_tables and policy routing, all of it or nothing, and takes the table out again.
 *
 * One atomic batch replaces the table: from then on the new state holds. A failure up to the batch leaves an
 * earlier install as it was.
 * @module
 */
import { TABLE_NAME } from "../../constants.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { NftBatch } from "../../netlink/nft/batch.ts";
import type { InstallReport, Removal } from "../backend/backend.ts";
import type { KernelConnections } from "../machine/connections.ts";
import type { Plan } from "../plan/model.ts";
import { RoutingChange } from "../routing/apply.ts";
import { replaceTable } from "./batch.ts";
import { compileTable } from "./chains.ts";
import { isOurTable, readTableHead, readTableIfPossible, refuseForeignTable } from "./state/state.ts";
import { beginTrial, requireTrial } from "./trial/batches.ts";
import { readTrial } from "./trial/state.ts";
import { refuseDuringTrial } from "../trial/refusal.ts";

/** The place of the rules, in words. */
export const PLACE = `table inet ${TABLE_NAME}`;

/**
 * Makes the kernel's state that of the plan; `keeps`: whose rules are on trial. Throws an OperationError;
 * then the state before is there again.
 */
export function applyInstall(
  plan: Plan,
  { route, netfilter }: KernelConnections,
  { keeps = false }: { keeps?: boolean } = {},
): InstallReport {
  const installed = readTableHead(netfilter);
  refuseForeignTable(installed);
  if (!keeps) refuseDuringTrial(readTrial(netfilter), PLACE);
  const replaced = installed !== undefined;
  const batch = new NftBatch();
  if (keeps) requireTrial(batch);
  const routing = RoutingChange.begin(plan, { route, earlier: replaced });
  try {
    replaceTable(compileTable(plan), batch).commit(netfilter);
  } catch (error) {
    throw routing.takeBack(error);
  }
  routing.finish();
  return { replaced, place: PLACE };
}

/**
 * Puts the rules of the plan before those that are there, for so many milliseconds. Routing of both stands
 * meanwhile. Throws as {@linkcode applyInstall} does.
 */
export function applyTrial(
  plan: Plan,
  { route, netfilter }: KernelConnections,
  timeoutMs: number,
): InstallReport {
  const installed = readTableHead(netfilter);
  refuseForeignTable(installed);
  const left = readTrial(netfilter);
  refuseDuringTrial(left, PLACE);
  if (left !== undefined) throw new RangeError("The trial before has not been tidied up");
  const replaced = installed !== undefined;
  const routing = RoutingChange.begin(plan, { route, earlier: replaced });
  try {
    beginTrial(compileTable(plan), installed, timeoutMs).commit(netfilter);
  } catch (error) {
    throw routing.takeBack(error);
  }
  return { replaced, place: PLACE };
}

/** Removes our table; fine when nothing is there, and on a kernel that has no nf_tables. */
export function removeTable(netfilter: NetlinkConnection | undefined): Removal {
  const installed = netfilter && readTableIfPossible(netfilter);
  if (netfilter === undefined || installed === undefined) return { removed: [], left: [] };
  const name = `table inet ${TABLE_NAME}`;
  if (!isOurTable(installed)) return { removed: [], left: [`a ${name} that tproxy did not make`] };
  new NftBatch().deleteTable({ family: "inet", name: TABLE_NAME }).commit(netfilter);
  return { removed: [name], left: [] };
}
