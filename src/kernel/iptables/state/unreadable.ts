/**
 * Removes what an install has put into iptables-nft without iptables: where that is no longer here, or cannot
 * read its own tables, as another program has put rules of nf_tables into them.
 * @module
 */
import { FAMILIES } from "../../../net/families.ts";
import type { Family } from "../../../net/ip.ts";
import type { NetlinkConnection } from "../../../netlink/connection.ts";
import { NftBatch } from "../../../netlink/nft/batch.ts";
import { NFT_FAMILIES } from "../../../netlink/nft/message.ts";
import { listRules, type NftRule } from "../../../netlink/nft/rule.ts";
import { CHAIN_PREFIX, OWNER_CHAIN, OWNER_COMMENT, type TableName } from "../compile/model.ts";
import { madeBy } from "./owner.ts";
import { removeLast } from "./remains.ts";
import { readNftChains } from "./state.ts";

/** Order of a removal: the table that marks packets goes first. */
const TABLES: readonly TableName[] = ["raw", "mangle", "filter"];

/** Removes our chains, and the rules of others' chains that lead to them; what was removed, in words. */
export function removeUnreadable(netfilter: NetlinkConnection): string[] {
  return FAMILIES.flatMap((family) => TABLES.flatMap((table) => removeFromTable(netfilter, family, table)));
}

function removeFromTable(netfilter: NetlinkConnection, family: Family, table: TableName): string[] {
  const where = { family: NFT_FAMILIES[family], table };
  const chains = readNftChains(netfilter, family).filter((chain) => chain.table === table);
  const ours = chains.map(({ name }) => name).filter((name) => name.startsWith(CHAIN_PREFIX));
  const comment = ours.includes(OWNER_CHAIN)
    ? readComment(listRules(netfilter, { ...where, chain: OWNER_CHAIN }))
    : undefined;
  if (comment === undefined) return [];
  const batch = new NftBatch();
  for (const { name } of chains.filter(({ base }) => base !== undefined)) {
    for (const rule of listRules(netfilter, { ...where, chain: name })) {
      if (leadsToOurs(rule)) batch.deleteRule({ ...where, chain: name, handle: rule.handle! });
    }
  }
  const last = ours.filter((name) => name !== OWNER_CHAIN);
  for (const name of last) batch.flushChain({ ...where, name });
  for (const name of last) batch.deleteChain({ ...where, name });
  batch.commit(netfilter);
  removeLast(netfilter, family, { table, made: madeBy(comment) });
  return [`${family} chains of nf_tables, table ${table}: ${ours.join(" ")}`];
}

/** Reads the comment of the owner's rule: iptables keeps it in an extension of its own. */
function readComment(rules: readonly NftRule[]): string | undefined {
  // Somebody has flushed the table.
  if (rules.length === 0) return OWNER_COMMENT;
  for (const { expressions } of rules) {
    for (const expression of expressions) {
      if (expression.kind !== "unknown") continue;
      const text = new TextDecoder("latin1").decode(expression.data);
      const comment = new RegExp(`${OWNER_COMMENT}[^\\0]*`).exec(text)?.[0];
      if (comment !== undefined) return comment;
    }
  }
  return undefined;
}

function leadsToOurs({ expressions }: NftRule): boolean {
  return expressions.some((expression) =>
    expression.kind === "verdict" && (expression.verdict.chain ?? "").startsWith(CHAIN_PREFIX)
  );
}
