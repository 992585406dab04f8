/**
 * Puts a plan into nf_tables and policy routing, all of it or nothing, and takes the table out again.
 *
 * One atomic batch replaces the rules: from then on the new state holds. A failure up to the batch leaves an
 * earlier install as it was.
 * @module
 */
import { TABLE_NAME } from "../../constants.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { OperationError } from "../../net/error.ts";
import { NftBatch } from "../../netlink/nft/batch.ts";
import { listSets } from "../../netlink/nft/sets/set.ts";
import type { InstallOptions, InstallReport, Removal } from "../backend/backend.ts";
import type { KernelConnections } from "../machine/connections.ts";
import type { Plan } from "../plan/model.ts";
import { RoutingChange } from "../routing/apply.ts";
import { replaceTable } from "./batch.ts";
import { compileTable } from "./chains.ts";
import type { CompiledTable } from "./model.ts";
import { planSteps, type Steps } from "./replacing/steps.ts";
import {
  type InstalledTableHead,
  isOurTable,
  readTableHead,
  readTableIfPossible,
  refuseForeignTable,
} from "./state/state.ts";
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
  { keeps = false, seamless = false }: InstallOptions & { keeps?: boolean } = {},
): InstallReport {
  const installed = readTableHead(netfilter);
  refuseForeignTable(installed);
  if (!keeps) refuseDuringTrial(readTrial(netfilter), PLACE);
  const replaced = installed !== undefined;
  const routing = RoutingChange.begin(plan, { route, earlier: replaced });
  try {
    replaceRules(compileTable(plan), netfilter, { installed, keeps, seamless });
  } catch (error) {
    throw routing.takeBack(error);
  }
  routing.finish();
  return { replaced, place: PLACE };
}

function replaceRules(
  table: CompiledTable,
  netfilter: NetlinkConnection,
  { installed, keeps, seamless }: {
    installed: InstalledTableHead | undefined;
    keeps: boolean;
    seamless: boolean;
  },
): void {
  const begin = () => keeps ? requireTrial(new NftBatch()) : new NftBatch();
  const steps = installed !== undefined && seamless
    ? planSteps(table, { ...installed, sets: listSets(netfilter, installed.table) }, begin())
    : undefined;
  // Where others are at the table as well, the whole of it is made anew.
  if (steps === undefined || !takeSteps(steps, netfilter)) replaceTable(table, begin()).commit(netfilter);
}

/** Tells whether the kernel has taken them; else it is as before. */
function takeSteps({ sets, rules, undo }: Steps, netfilter: NetlinkConnection): boolean {
  if (!isTaken(sets, netfilter)) return false;
  if (isTaken(rules, netfilter)) return true;
  isTaken(undo, netfilter);
  return false;
}

function isTaken(batch: NftBatch, netfilter: NetlinkConnection): boolean {
  try {
    batch.commit(netfilter);
    return true;
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return false;
  }
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
