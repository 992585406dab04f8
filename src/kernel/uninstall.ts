/**
 * Takes out what an install put into the kernel, whatever config it had, and nothing else.
 * @module
 */
import { TABLE_NAME } from "../constants.ts";
import { OperationError } from "../net/error.ts";
import type { NetlinkConnection } from "../netlink/connection.ts";
import { NftBatch } from "../netlink/nft/batch.ts";
import { readRouting, routeEntry, ruleEntry } from "./routing/state.ts";
import { type InstalledTableHead, isOurTable, isWithoutNfTables, readTableHead } from "./nft/state.ts";

/** What was taken out. */
export interface UninstallReport {
  /** In words, one for each object. */
  readonly removed: readonly string[];
  /** There is a table of our name that someone else made; it was left alone. */
  readonly foreignTable: boolean;
}

/** As for a change, on a kernel that may have no nf_tables at all. */
export interface UninstallConnections {
  /** rtnetlink. */
  readonly route: NetlinkConnection;
  /** nf_tables. */
  readonly netfilter: NetlinkConnection | undefined;
}

/** Removes the table first, so that no packet is marked any more, then rules and routes. Fine when nothing is there. */
export function applyUninstall({ route, netfilter }: UninstallConnections): UninstallReport {
  const removed: string[] = [];
  const installed = netfilter && readTableIfPossible(netfilter);
  const ours = installed !== undefined && isOurTable(installed);
  if (netfilter !== undefined && ours) {
    new NftBatch().deleteTable({ family: "inet", name: TABLE_NAME }).commit(netfilter);
    removed.push(`table inet ${TABLE_NAME}`);
  }
  const { rules, routes } = readRouting(route);
  for (const entry of [...rules.map(ruleEntry), ...routes.map(routeEntry)]) {
    try {
      entry.remove(route);
      removed.push(entry.label);
    } catch (error) {
      // Someone else was faster.
      if (!(error instanceof OperationError) || !["ENOENT", "ESRCH"].includes(error.code)) throw error;
    }
  }
  return { removed, foreignTable: installed !== undefined && !ours };
}

/** Our table; undefined as well where the kernel has no nf_tables. */
export function readTableIfPossible(netfilter: NetlinkConnection): InstalledTableHead | undefined {
  try {
    return readTableHead(netfilter);
  } catch (error) {
    if (error instanceof OperationError && isWithoutNfTables(error)) return undefined;
    throw error;
  }
}
