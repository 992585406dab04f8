/**
 * The chains of other firewalls at nf_tables' input hook.
 * @module
 */
import { TABLE_NAME } from "../../constants.ts";
import { OperationError } from "../../net/error.ts";
import { FAMILIES } from "../../net/families.ts";
import type { Family } from "../../net/ip.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { listChains, type NftChain } from "../../netlink/nft/chain.ts";
import { listRules } from "../../netlink/nft/rule.ts";
import { listElements } from "../../netlink/nft/sets/element.ts";
import { listSets, type NftSet } from "../../netlink/nft/sets/set.ts";
import type { KnownSet } from "../packet/packet_match.ts";
import type { WalkedTable } from "../packet/packet_walk.ts";

/** The address families that a table of a family of nf_tables sees. */
export const TABLE_FAMILIES: Readonly<Record<string, readonly Family[]>> = {
  inet: FAMILIES,
  ip: ["ipv4"],
  ip6: ["ipv6"],
};

/** A base chain at the input hook, with the table that it is in. */
export interface InputChain {
  readonly chain: NftChain;
  /** Undefined where this program cannot read it. */
  readonly table: WalkedTable | undefined;
}

/** Reads all of them but ours. Throws an OperationError, EPERM without privilege. */
export function readInputChains(connection: NetlinkConnection): InputChain[] {
  const chains = listChains(connection);
  return chains.filter((chain) => chain.base?.hook === "input" && TABLE_FAMILIES[chain.family] !== undefined)
    .filter((chain) => chain.table !== TABLE_NAME)
    .map((chain) => ({
      chain,
      table: orUndefined(() => readTable(connection, chain, chains)),
    }));
}

function readTable(connection: NetlinkConnection, chain: NftChain, chains: readonly NftChain[]): WalkedTable {
  const { family, table } = chain;
  const rules = listRules(connection, { family, table });
  const used = new Set(
    rules.flatMap(({ expressions }) => expressions.flatMap((e) => e.kind === "lookup" ? [e.set] : [])),
  );
  const sets = new Map<string, KnownSet | undefined>();
  for (const set of listSets(connection, { family, name: table })) {
    if (used.has(set.name)) sets.set(set.name, readSet(connection, set));
  }
  return {
    chains: chains.filter((other) => other.family === family && other.table === table),
    rules,
    findSet: (name) => sets.get(name),
  };
}

/** Sets of addresses can be huge, and the packet's addresses are not known: they are not read. */
function readSet(connection: NetlinkConnection, set: NftSet): KnownSet | undefined {
  if (set.type.some((type) => type === "ipv4_addr" || type === "ipv6_addr")) return undefined;
  const elements = orUndefined(() => listElements(connection, set));
  return elements && { elements, interval: set.flags?.includes("interval") === true };
}

/** Passes over kinds of objects of other programs that this one cannot read. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof OperationError && error.code === "EPERM") throw error;
    if (error instanceof OperationError || error instanceof RangeError) return undefined;
    throw error;
  }
}
