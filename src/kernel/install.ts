/**
 * Puts a plan into the kernel, all of it or nothing.
 *
 * First what is missing in policy routing is added: without marked packets it has no effect. Then one atomic batch
 * replaces the table: from then on the new state holds. Last the routing entries of an earlier install go that this one
 * does not want. So at no moment a packet is marked that no rule would deliver, and a failure up to the batch leaves an
 * earlier install as it was.
 * @module
 */
import { OperationError } from "../net/error.ts";
import type { NetlinkConnection } from "../netlink/connection.ts";
import type { KernelConnections } from "./connections.ts";
import { compileTable } from "./nft/compile.ts";
import type { Plan } from "./plan/model.ts";
import {
  type InstalledRouting,
  readRouting,
  routeEntry,
  type RoutingEntry,
  ruleEntry,
  toRoute,
  toRoutingRule,
} from "./routing/state.ts";
import { readTableHead, refuseForeignTable } from "./nft/state.ts";
import { replaceTable } from "./nft/batch.ts";

/** What an install found and did. */
export interface InstallReport {
  /** An install of ours was there already. */
  readonly replaced: boolean;
}

/** Makes the kernel's state that of the plan. Throws an OperationError; then what was there before is there again. */
export function applyInstall(plan: Plan, { route, netfilter }: KernelConnections): InstallReport {
  const installed = readTableHead(netfilter);
  refuseForeignTable(installed);
  const replaced = installed !== undefined;
  changeRouting(plan, { route, earlier: replaced }, () => replaceTable(compileTable(plan)).commit(netfilter));
  return { replaced };
}

/** Makes policy routing that of the plan, where the table is so already. Throws an OperationError; then what was there before is there again. */
export function applyRouting(plan: Plan, route: NetlinkConnection): void {
  changeRouting(plan, { route, earlier: true }, () => {});
}

/** Adds what is missing, has the table made, and only then removes what is stale; if one of the first two fails, nothing has changed. */
function changeRouting(
  plan: Plan,
  { route, earlier }: { route: NetlinkConnection; earlier: boolean },
  makeTable: () => void,
): void {
  const { missing, stale } = compareRouting(plan, readRouting(route));
  const added: RoutingEntry[] = [];
  try {
    for (const entry of missing) {
      entry.add(route);
      added.push(entry);
    }
    makeTable();
  } catch (error) {
    throw rollBack(error, added, { route, earlier });
  }
  removeStale(stale, route);
}

/** What must be added, and what of ours nobody wants any more. */
export function compareRouting(
  plan: Plan,
  installed: InstalledRouting,
): { missing: RoutingEntry[]; stale: RoutingEntry[] } {
  const wanted = [
    // Routes first: a rule that leads to an empty table is passed over.
    ...plan.routes.filter((route) => !route.foreign).map((route) => routeEntry(toRoute(route))),
    ...plan.routingRules.map((rule) => ruleEntry(toRoutingRule(rule))),
  ];
  const present = [...installed.rules.map(ruleEntry), ...installed.routes.map(routeEntry)];
  const has = (entries: readonly RoutingEntry[], entry: RoutingEntry) =>
    entries.some(({ label }) => label === entry.label);
  return {
    missing: wanted.filter((entry) => !has(present, entry)),
    stale: present.filter((entry) => !has(wanted, entry)),
  };
}

/** Takes back what was added, and gives the error to throw. */
export function rollBack(
  error: unknown,
  added: readonly RoutingEntry[],
  context: { route: NetlinkConnection; earlier: boolean },
): unknown {
  const left: string[] = [];
  for (const entry of added.toReversed()) {
    try {
      entry.remove(context.route);
    } catch {
      left.push(entry.label);
    }
  }
  if (!(error instanceof OperationError)) return error;
  const outcome = left.length > 0
    ? `This is left behind and can be removed with "tproxy uninstall": ${left.join("; ")}`
    : context.earlier
    ? "The earlier install is in force as before"
    : "Nothing is installed, the kernel's state is as before";
  return withOutcome(error, outcome);
}

/** Removes the entries of an earlier install; one that has gone with its interface is no failure. */
export function removeStale(stale: readonly RoutingEntry[], route: NetlinkConnection): void {
  for (const entry of stale) {
    try {
      entry.remove(route);
    } catch (error) {
      if (error instanceof OperationError && error.code === "ENOENT") continue; // gone with its interface
      if (!(error instanceof OperationError)) throw error;
      throw withOutcome(
        error,
        'All new rules are in force; run "tproxy install" again to remove this old one',
      );
    }
  }
}

function withOutcome(error: OperationError, outcome: string): OperationError {
  const { operation, object, errno, reason, usage, hint, missingModule } = error;
  const failure = { operation, object, errno, reason, usage, hint, missingModule, outcome };
  return new OperationError(failure, { cause: error });
}
