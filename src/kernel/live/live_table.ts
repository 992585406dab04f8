/**
 * The table of a running proxy. It belongs to a netlink socket of this process, and the kernel removes it
 * when that closes, however the process ends. Nobody else can change it, `nft flush ruleset` included.
 * @module
 */
import { LIVE_TABLE_NAME } from "../../constants.ts";
import { OperationError } from "../../net/error.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { NftBatch } from "../../netlink/nft/batch.ts";
import { adoptNetlink, openNetlink } from "../../netlink/transport.ts";
import { compileLive, LIVE_COMMENT } from "../nft/chains.ts";
import type { TableContents } from "../nft/model.ts";
import type { LivePlan } from "../plan/live/live_plan.ts";
import { findLiveTable } from "./found.ts";
import { ASKS_CHAIN } from "../plan/live/steer.ts";
import { countUnrelayed, NONE_UNRELAYED, type Unrelayed } from "./unrelayed.ts";
import { listRules } from "../../netlink/nft/rule.ts";
import { replaceContents } from "./replacement.ts";

const TABLE = { family: "inet", name: LIVE_TABLE_NAME } as const;
const EMPTY = { sets: [], chains: [] } as const;

/** The table on its way to another process. */
export interface GivenTable {
  /** The socket that it belongs to. */
  readonly fd: number;
  /** Its sets and chains, as JSON. */
  readonly contents: string;
}

/** The table of this process. */
export class LiveTable {
  readonly #connection: NetlinkConnection;
  #contents: TableContents;

  constructor(connection: NetlinkConnection, contents: TableContents = EMPTY) {
    this.#connection = connection;
    this.#contents = contents;
  }

  /** Describes the table for a process that is to have it: its socket, and what is in it. */
  give(): GivenTable {
    return { fd: this.#connection.descriptor, contents: JSON.stringify(this.#contents) };
  }

  /**
   * Puts the plan's rules in the place of those before, at once; what packets have put into sets stays. False
   * where they are the same. Throws an OperationError; then the rules before are still there.
   */
  replace(plan: LivePlan): boolean {
    const next = compileLive(plan);
    if (isSame(this.#contents, next)) return false;
    replaceContents(this.#contents, next).commit(this.#connection);
    this.#contents = { sets: next.sets, chains: next.chains };
    return true;
  }

  /** Counts the connections that its rules forward for their options. Throws an OperationError. */
  unrelayed(): Unrelayed {
    if (!this.#contents.chains.some(({ name }) => name === ASKS_CHAIN)) return { ...NONE_UNRELAYED };
    const { family, name: table } = TABLE;
    return countUnrelayed(listRules(this.#connection, { family, table, chain: ASKS_CHAIN }));
  }

  /** Empties a set, where it is there. Throws an OperationError. */
  empty(name: string): void {
    if (!this.#contents.sets.some((set) => set.name === name)) return;
    new NftBatch().flushSet({ family: TABLE.family, table: TABLE.name, name }).commit(this.#connection);
  }

  /** Removes the table, unless another process has its socket too. */
  close(): void {
    this.#connection.close();
  }
}

/**
 * Makes the table, empty: from then on no other process can. Throws an OperationError, which tells if another
 * proxy has it.
 */
export function openLiveTable(): LiveTable {
  const connection = openNetlink("netfilter");
  try {
    const found = findLiveTable(connection);
    if (found === "of a proxy") throw refusal("it belongs to another running proxy", OTHER_PROXY);
    if (found === "of somebody else") throw refusal("tproxy has not made it", FOREIGN);
    const batch = new NftBatch();
    // A copy, as of a rule set that was saved and loaded again.
    if (found === "a copy") batch.deleteTable(TABLE);
    batch.addTable({ ...TABLE, comment: LIVE_COMMENT, flags: ["owner"] });
    batch.commit(connection);
  } catch (error) {
    connection.close();
    throw error;
  }
  return new LiveTable(connection);
}

/** Goes on with the table of another process, which lets go of it. */
export function adoptLiveTable({ fd, contents }: GivenTable): LiveTable {
  return new LiveTable(adoptNetlink(fd), JSON.parse(contents) as TableContents);
}

const OTHER_PROXY =
  'One proxy for each network namespace: end the other first ("systemctl stop tproxy"), or set ' +
  "intercept.admission to early for one that nothing is installed for";
const FOREIGN = `See "nft list table inet ${LIVE_TABLE_NAME}", and delete it if nobody needs it`;

function refusal(reason: string, hint: string): OperationError {
  return new OperationError({ operation: "make table", object: `inet ${LIVE_TABLE_NAME}`, reason, hint });
}

function isSame(one: TableContents, { sets, chains }: TableContents): boolean {
  return JSON.stringify([one.sets, one.chains]) === JSON.stringify([sets, chains]);
}
