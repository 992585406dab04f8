/**
 * Notifications of nf_tables: our table that goes or is made anew, rules of others, and who has done it.
 * Elements of others' sets come and go all day, and do not count. Pure.
 * @module
 */
import { LIVE_TABLE_NAME, TABLE_NAME } from "../../constants.ts";
import type { NetlinkMessage } from "../../netlink/message.ts";
import { readNews } from "../../netlink/nft_news.ts";
import type { NetworkChange } from "./change.ts";

/** Adds what a message tells. `own`: this process has sent the request. */
export function readFirewallNews(message: NetlinkMessage, own: boolean, change: NetworkChange): void {
  const news = readNews(message);
  if (news === undefined) return;
  if (news.kind === "generation") {
    if (!own && news.program !== undefined) change.name(news.program, change.unnamed);
    change.unnamed = false;
    return;
  }
  const { table, kind, isNew } = news;
  if (table === LIVE_TABLE_NAME) return;
  if (table !== TABLE_NAME) {
    if (kind !== "elements" && kind !== "set") change.firewall = true;
    // Beside a flow table nothing is watched.
    if (kind === "flowtable") change.plan = true;
    return;
  }
  if (own) return;
  change.rules = change.unnamed = true;
  if (kind === "table" && isNew) change.remade = true;
}
