/**
 * Tables and built-in chains of nf_tables that iptables-nft makes at need, and leaves. Uninstall takes away
 * those that an install has caused, unless somebody uses them by then.
 * @module
 */
import type { Family } from "../../../net/ip.ts";
import type { NetlinkConnection } from "../../../netlink/connection.ts";
import { NftBatch } from "../../../netlink/nft/batch.ts";
import type { NftChain } from "../../../netlink/nft/chain.ts";
import { NFT_FAMILIES } from "../../../netlink/nft/message.ts";
import { listRules } from "../../../netlink/nft/rule.ts";
import { listTables } from "../../../netlink/nft/table.ts";
import { OWNER_CHAIN, type TableName, type TableRules } from "../compile/model.ts";
import { readNftChains } from "./state.ts";

const WHOLE_TABLE = "table";

/**
 * Foresees the objects that iptables-nft will make when these rules are loaded: names of built-in chains, and
 * `table` for the table.
 */
export function foreseeMade(
  netfilter: NetlinkConnection,
  family: Family,
  { table, jumps }: TableRules,
): string[] {
  const exists = listTables(netfilter, NFT_FAMILIES[family]).some(({ name }) => name === table);
  const chains = readNftChains(netfilter, family).filter((chain) => chain.table === table);
  const lacking = [...new Set(jumps.map(({ from }) => from))]
    .filter((from) => !chains.some(({ name }) => name === from));
  return exists ? lacking : [WHOLE_TABLE, ...lacking];
}

/**
 * Deletes our last chain in a table, the owner's, and with it what was made, where nobody has put anything
 * into that: in one atomic step, so that what is left of an uninstall that was killed is known as ours.
 */
export function removeLast(
  netfilter: NetlinkConnection,
  family: Family,
  { table, made }: { table: TableName; made: readonly string[] },
): void {
  const nftFamily = NFT_FAMILIES[family];
  const where = { family: nftFamily, table };
  const chains = readNftChains(netfilter, family).filter((chain) => chain.table === table);
  const others = chains.filter(({ name }) => name !== OWNER_CHAIN);
  const isIdle = (chain: NftChain) => isUnused(netfilter, chain);
  const batch = new NftBatch();
  if (made.includes(WHOLE_TABLE) && others.every(isIdle)) {
    batch.deleteTable({ family: nftFamily, name: table });
  } else {
    batch.flushChain({ ...where, name: OWNER_CHAIN }).deleteChain({ ...where, name: OWNER_CHAIN });
    for (const { name } of others.filter((chain) => made.includes(chain.name) && isIdle(chain))) {
      batch.deleteChain({ ...where, name });
    }
  }
  batch.commit(netfilter);
}

/** Deletes built-in chains that iptables-nft has made, where nobody has put anything into them. */
export function removeMade(
  netfilter: NetlinkConnection,
  family: Family,
  { table, names }: { table: TableName; names: readonly string[] },
): void {
  const made = readNftChains(netfilter, family).filter((chain) =>
    chain.table === table && names.includes(chain.name) && isUnused(netfilter, chain)
  );
  if (made.length === 0) return;
  const batch = new NftBatch();
  for (const { name } of made) batch.deleteChain({ family: NFT_FAMILIES[family], table, name });
  batch.commit(netfilter);
}

function isUnused(netfilter: NetlinkConnection, { base, family, table, name }: NftChain): boolean {
  return base !== undefined && base.policy !== "drop" &&
    listRules(netfilter, { family, table, chain: name }).length === 0;
}
