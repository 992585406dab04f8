/**
 * Our table as the kernel has it.
 * @module
 */
import { TABLE_NAME } from "../../../constants.ts";
import { OperationError } from "../../../net/error.ts";
import type { NetlinkConnection } from "../../../netlink/connection.ts";
import { listChains, type NftChain } from "../../../netlink/nft/chain.ts";
import { listElements, type NftElement } from "../../../netlink/nft/sets/element.ts";
import { listRules, type NftRule } from "../../../netlink/nft/rule.ts";
import { listSets, type NftSet } from "../../../netlink/nft/sets/set.ts";
import { listTables, type NftTable } from "../../../netlink/nft/table.ts";
import { ifNfTables } from "../../machine/nf_tables.ts";
import { TABLE_COMMENT } from "../chains.ts";

const TABLE = { family: "inet", name: TABLE_NAME } as const;

/** A set with its elements. */
export interface InstalledSet extends NftSet {
  readonly elements: readonly NftElement[];
}

/** The table called transparent_proxy, whoever made it, and its chains. */
export interface InstalledTableHead {
  readonly table: NftTable;
  readonly chains: readonly NftChain[];
}

/** The same with all that is in it. */
export interface InstalledTable extends InstalledTableHead {
  readonly sets: readonly InstalledSet[];
  readonly rules: readonly NftRule[];
}

/** The table itself and its chains: enough to tell whose it is. Sets may be large. */
export function readTableHead(connection: NetlinkConnection): InstalledTableHead | undefined {
  const table = listTables(connection, "inet").find(({ name }) => name === TABLE_NAME);
  return table && { table, chains: listChains(connection, TABLE) };
}

/**
 * Reads the table with all that is in it; undefined if there is none. Equivalent to: nft list table inet
 * transparent_proxy
 */
export function readTable(connection: NetlinkConnection): InstalledTable | undefined {
  const head = readTableHead(connection);
  return head && {
    ...head,
    sets: listSets(connection, TABLE).map((set) => ({ ...set, elements: listElements(connection, set) })),
    rules: listRules(connection, { family: "inet", table: TABLE_NAME }),
  };
}

/** Reads our table's head; undefined as well where the kernel has no nf_tables. */
export function readTableIfPossible(netfilter: NetlinkConnection): InstalledTableHead | undefined {
  return ifNfTables(() => readTableHead(netfilter), undefined);
}

/**
 * Tells whether an install made the table: it carries our comment or, where the kernel keeps none (before
 * 5.10), has our two chains.
 */
export function isOurTable({ table, chains }: InstalledTableHead): boolean {
  if (table.comment !== undefined) return table.comment === TABLE_COMMENT;
  return ["divert", "divert_replies"].every((name) => chains.some((chain) => chain.name === name));
}

/** Throws if a table of our name was made by someone else. */
export function refuseForeignTable(installed: InstalledTableHead | undefined): void {
  if (installed === undefined || isOurTable(installed)) return;
  throw new OperationError({
    operation: "use table",
    object: `inet ${TABLE_NAME}`,
    reason: "a table of this name is there that tproxy did not make",
    hint: `See "nft list table inet ${TABLE_NAME}", and delete it if nobody needs it`,
  });
}
