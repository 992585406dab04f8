/**
 * The table of a running proxy, as others see it.
 * @module
 */
import { LIVE_TABLE_NAME } from "../../constants.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { listTables } from "../../netlink/nft/table.ts";
import { LIVE_COMMENT } from "../nft/chains.ts";

/**
 * `of a proxy`: one runs. `a copy`: our rules, but nobody's, as where a saved rule set was loaded. `of
 * somebody else`: the name alone is ours.
 */
export type FoundLiveTable = "of a proxy" | "a copy" | "of somebody else";

/** Looks for the table; undefined: there is none. */
export function findLiveTable(netfilter: NetlinkConnection): FoundLiveTable | undefined {
  const table = listTables(netfilter, "inet").find(({ name }) => name === LIVE_TABLE_NAME);
  if (table === undefined) return undefined;
  if (table.comment !== LIVE_COMMENT) return "of somebody else";
  return table.flags?.includes("owner") ? "of a proxy" : "a copy";
}
