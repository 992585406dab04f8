/**
 * A table of iptables-legacy as chains and rules of nf_tables, as iptables-nft would write them. Pure.
 * @module
 */
import type { Family } from "../../../net/ip.ts";
import type { Hook, NftChain } from "../../../netlink/nft/chain.ts";
import type { NftRule } from "../../../netlink/nft/rule.ts";
import { type FirewallChain, withoutOurs } from "../../firewall/chain.ts";
import { decodeEntry, type LegacyEntry } from "./entry.ts";

/** A table as the kernel hands it out. */
export interface LegacyTable {
  readonly family: Family;
  readonly name: string;
  /** A bit for each hook that the table has a chain at. */
  readonly validHooks: number;
  /** By hook, the offset of the first entry of its chain, and of that which is its policy. */
  readonly begins: readonly number[];
  readonly policies: readonly number[];
  readonly entries: Uint8Array;
}

/** By the number of the hook. */
const HOOKS: readonly { hook: Hook; name: string }[] = [
  { hook: "prerouting", name: "PREROUTING" },
  { hook: "input", name: "INPUT" },
  { hook: "forward", name: "FORWARD" },
  { hook: "output", name: "OUTPUT" },
  { hook: "postrouting", name: "POSTROUTING" },
];
/** linux/netfilter_ipv4.h: enum nf_ip_hook_priorities */
const PRIORITIES: Readonly<Record<string, number>> = { raw: -300, mangle: -150, filter: 0, security: 50 };
const NAT_PRIORITIES = { destination: -100, source: 100 };

/** Decodes it: a chain for each hook. */
export function decodeLegacyTable(table: LegacyTable): FirewallChain[] {
  const entries = listEntries(table);
  const family = table.family === "ipv4" ? "ip" : "ip6";
  const where = { family, table: table.name } as const;
  const names = nameChains(table, entries);
  const rules: NftRule[] = [];
  let chain = "";
  for (const entry of entries) {
    chain = names.get(entry.offset) ?? chain;
    if (entry.label !== undefined || table.policies.includes(entry.offset)) continue;
    const expressions = entry.expressions((offset) => names.get(offset) ?? "");
    rules.push({ ...where, chain, expressions, handle: BigInt(rules.length + 1) });
  }
  const policies = new Map(entries.map(({ offset, verdict }) => [offset, verdict]));
  const bases = listHooks(table).map(({ hook, name, policy }): NftChain => ({
    ...where,
    name,
    base: {
      type: table.name === "nat" ? "nat" : "filter",
      hook,
      priority: priorityOf(table.name, hook),
      policy: policies.get(policy) === "drop" ? "drop" : "accept",
    },
  }));
  const walked = { rules: withoutOurs(rules), findSet: () => undefined };
  return bases.map((base) => ({ chain: base, program: "iptables-legacy", table: walked }));
}

function listHooks({ validHooks, begins, policies }: LegacyTable) {
  return HOOKS.map(({ hook, name }, number) => ({
    hook,
    name,
    number,
    begin: begins[number],
    policy: policies[number],
  })).filter(({ number }) => (validHooks & 1 << number) !== 0);
}

function priorityOf(table: string, hook: Hook): number {
  if (table !== "nat") return PRIORITIES[table] ?? 0;
  return hook === "prerouting" || hook === "output" ? NAT_PRIORITIES.destination : NAT_PRIORITIES.source;
}

function listEntries({ family, entries }: LegacyTable): LegacyEntry[] {
  const list: LegacyEntry[] = [];
  for (let offset = 0; offset < entries.length;) {
    const entry = decodeEntry(family, entries, offset);
    list.push(entry);
    offset += entry.size;
  }
  return list;
}

/**
 * Names of the chains, by the offset of their first entry: those of hooks, and those of a user, which begin
 * behind an entry with the name.
 */
function nameChains(table: LegacyTable, entries: readonly LegacyEntry[]): Map<number, string> {
  const names = new Map(listHooks(table).map(({ begin, name }) => [begin, name]));
  for (const { label, offset, size } of entries) {
    if (label !== undefined) names.set(offset + size, label);
  }
  return names;
}
