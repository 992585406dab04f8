/**
 * iptables-nft makes tables and built-in chains of nf_tables at need, and leaves them. What an install has caused to be
 * made so is taken away by uninstall, unless somebody uses it by then.
 * @module
 */
import type { Family } from "../../net/ip.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { NftBatch } from "../../netlink/nft/batch.ts";
import type { NftChain } from "../../netlink/nft/chain.ts";
import { listRules } from "../../netlink/nft/rule.ts";
import { listTables } from "../../netlink/nft/table.ts";
import type { TableName, TableRules } from "./model.ts";
import { readNftChains } from "./state.ts";

const NFT_FAMILIES = { ipv4: "ip", ipv6: "ip6" } as const;
const WHOLE_TABLE = "table";

/** What iptables-nft will make when these rules are loaded: names of built-in chains, and `table` for the table. */
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

/** Deletes what was made, where nothing is in it. */
export function removeMade(
  netfilter: NetlinkConnection,
  family: Family,
  { table, made }: { table: TableName; made: readonly string[] },
): void {
  const nftFamily = NFT_FAMILIES[family];
  const chains = readNftChains(netfilter, family).filter((chain) => chain.table === table);
  const isIdle = (chain: NftChain) =>
    chain.base !== undefined && chain.base.policy !== "drop" &&
    listRules(netfilter, { family: nftFamily, table, chain: chain.name }).length === 0;
  const batch = new NftBatch();
  if (made.includes(WHOLE_TABLE) && chains.every(isIdle)) {
    if (!listTables(netfilter, nftFamily).some(({ name }) => name === table)) return;
    batch.deleteTable({ family: nftFamily, name: table }).commit(netfilter);
    return;
  }
  const idle = chains.filter((chain) => made.includes(chain.name) && isIdle(chain));
  if (idle.length === 0) return;
  for (const { name } of idle) batch.deleteChain({ family: nftFamily, table, name });
  batch.commit(netfilter);
}
