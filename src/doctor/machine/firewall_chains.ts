/**
 * The base chains of other firewalls, in nf_tables and in iptables-legacy.
 * @module
 */
import { LIVE_TABLE_NAME, TABLE_NAME } from "../../constants.ts";
import { isGate, isOnTrial } from "../../kernel/nft/trial/generations.ts";
import { readTrial } from "../../kernel/nft/trial/state.ts";
import { OperationError } from "../../net/error.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { type Hook, listChains, type NftChain } from "../../netlink/nft/chain.ts";
import { listRules } from "../../netlink/nft/rule.ts";
import { listElements } from "../../netlink/nft/sets/element.ts";
import { listSets, type NftSet } from "../../netlink/nft/sets/set.ts";
import { listTables } from "../../netlink/nft/table.ts";
import { type FirewallChain, TABLE_FAMILIES, withoutOurs } from "../firewall/chain.ts";
import type { KnownSet } from "../packet/known_set.ts";
import type { WalkedTable } from "../packet/packet_walk.ts";

const OURS: readonly string[] = [TABLE_NAME, LIVE_TABLE_NAME];
const HOOKS: readonly Hook[] = ["ingress", "prerouting", "input", "forward", "output", "postrouting"];
/** Tables of iptables, in which its base chains are in capitals. */
const IPTABLES_TABLES = ["filter", "nat", "mangle", "raw", "security"];

/** The part of the chains and of their sets that is read. */
export interface ChainReading {
  /** Named sets of addresses too, which can be huge. */
  readonly addresses?: boolean;
  /** The chains of an install, instead of those of others. */
  readonly ours?: boolean;
}

/** Reads those of nf_tables but ours. Throws an OperationError, EPERM without privilege. */
export function readNftChains(connection: NetlinkConnection, reading: ChainReading = {}): FirewallChain[] {
  const chains = listChains(connection);
  const dormant = new Set(
    listTables(connection).filter(({ flags }) => flags?.includes("dormant")).map(({ family, name }) =>
      `${family} ${name}`
    ),
  );
  const onTrial = reading.ours === true && (readTrial(connection) ?? 0) > 0;
  const tables = new Map<string, WalkedTable | undefined>();
  const tableOf = ({ family, table }: NftChain) => {
    const key = `${family} ${table}`;
    if (!tables.has(key)) {
      tables.set(key, orUndefined(() => readTable(connection, { family, table }, reading)));
    }
    return tables.get(key);
  };
  return chains.flatMap((chain) => {
    const { base, family, table, name } = chain;
    if (base === undefined || !HOOKS.includes(base.hook) || TABLE_FAMILIES[family] === undefined) return [];
    // The kernel lists their hooks, and runs none of them. Whoever tries what the kernel can has such tables.
    if (dormant.has(`${family} ${table}`)) return [];
    const isAsked = reading.ours === true
      ? table === TABLE_NAME && isOnTrial(name) === onTrial
      : !OURS.includes(table);
    if (!isAsked) return [];
    const ofIptables = family !== "inet" && IPTABLES_TABLES.includes(table) && name === name.toUpperCase();
    return [{ chain, program: ofIptables ? "iptables-nft" : "nft", table: tableOf(chain) }];
  });
}

function readTable(
  connection: NetlinkConnection,
  { family, table }: Pick<NftChain, "family" | "table">,
  reading: ChainReading,
): WalkedTable {
  const all = withoutOurs(listRules(connection, { family, table }));
  // Beside rules on trial: those that are read are in force.
  const rules = reading.ours === true ? all.filter(({ expressions }) => !isGate(expressions)) : all;
  const used = new Set(
    rules.flatMap(({ expressions }) => expressions.flatMap((e) => e.kind === "lookup" ? [e.set] : [])),
  );
  const sets = new Map<string, KnownSet | undefined>();
  for (const set of listSets(connection, { family, name: table })) {
    if (used.has(set.name)) sets.set(set.name, readSet(connection, set, reading));
  }
  return { rules, findSet: (name) => sets.get(name) };
}

/** Sets of addresses can be huge, those that a rule has for itself are not. */
function readSet(
  connection: NetlinkConnection,
  set: NftSet,
  { addresses = false, ours = false }: ChainReading,
): KnownSet | undefined {
  const interval = set.flags?.includes("interval") === true;
  // Our rules remember flows there: one that begins is in none.
  if (ours && set.flags?.includes("dynamic") === true) return { elements: [], interval };
  const ofAddresses = set.type.some((type) => type === "ipv4_addr" || type === "ipv6_addr");
  if (ofAddresses && !addresses && set.flags?.includes("anonymous") !== true) return undefined;
  const elements = orUndefined(() => listElements(connection, set));
  return elements && { elements, interval };
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
