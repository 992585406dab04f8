/**
 * Takes out of nf_tables what an install put there, whatever config it had, and nothing else.
 * @module
 */
import { TABLE_NAME } from "../../constants.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { NftBatch } from "../../netlink/nft/batch.ts";
import type { Removal } from "../backend/backend.ts";
import { isOurTable, readTableIfPossible } from "./state/state.ts";

/** Removes our table; fine when nothing is there, and on a kernel that has no nf_tables. */
export function removeTable(netfilter: NetlinkConnection | undefined): Removal {
  const installed = netfilter && readTableIfPossible(netfilter);
  if (netfilter === undefined || installed === undefined) return { removed: [], left: [] };
  const name = `table inet ${TABLE_NAME}`;
  if (!isOurTable(installed)) return { removed: [], left: [`a ${name} that tproxy did not make`] };
  new NftBatch().deleteTable({ family: "inet", name: TABLE_NAME }).commit(netfilter);
  return { removed: [name], left: [] };
}
