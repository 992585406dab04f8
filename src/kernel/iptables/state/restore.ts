/**
 * Input for `iptables-restore --noflush`: what is ours is replaced, and nothing else touched. Each table is
 * one atomic step of the kernel. Pure.
 * @module
 */
import { type IptablesChain, OWNER_CHAIN, type TableName, type TableRules } from "../compile/model.ts";
import { type SavedTable, toTableRules } from "./saved.ts";

/** Order of a removal: the table that marks packets goes first. */
const REMOVAL_ORDER: readonly TableName[] = ["raw", "mangle", "filter"];

/**
 * State of tables in which nothing is wanted: empty of ours, or with the owner's chain, which is removed
 * later.
 */
export interface TransitionOptions {
  readonly keepOwner: boolean;
}

/** From what is there to what is wanted; the empty string if there is nothing to do. */
export function renderTransition(
  installed: readonly SavedTable[],
  wanted: readonly TableRules[],
  { keepOwner }: TransitionOptions,
): string {
  const find = (table: TableName) => installed.find((saved) => saved.table === table);
  const leftovers = REMOVAL_ORDER.flatMap((table) => find(table) ?? [])
    .filter((saved) => !wanted.some(({ table }) => table === saved.table));
  return [
    ...wanted.map((rules) => renderTable(find(rules.table), rules)),
    ...leftovers.map((saved) => renderTable(saved, keepOwner ? onlyOwner(saved) : undefined)),
  ].join("");
}

function onlyOwner(saved: SavedTable): TableRules {
  const { table, chains } = toTableRules(saved);
  return { table, chains: chains.filter(({ name }) => name === OWNER_CHAIN), jumps: [] };
}

function renderTable(installed: SavedTable | undefined, wanted: TableRules | undefined): string {
  const lines = [
    `*${(installed ?? wanted)!.table}`,
    ...(installed === undefined ? [] : renderRemoval(installed)),
    ...(wanted === undefined ? [] : renderAddition(wanted)),
    "COMMIT",
  ];
  return `${lines.join("\n")}\n`;
}

function renderRemoval({ chains, jumps }: SavedTable): string[] {
  return [
    ...jumps.map(({ from, text }) => `-D ${from} ${text}`),
    // All are emptied first: a chain to which a rule leads cannot be deleted.
    ...[...chains.keys()].map((name) => `-F ${name}`),
    ...[...chains.keys()].map((name) => `-X ${name}`),
  ];
}

function renderAddition(rules: TableRules): string[] {
  const { chains } = rules;
  return [
    ...chains.map(({ name }) => `:${name} - [0:0]`),
    ...chains.flatMap(renderRules),
    ...renderJumps(rules),
  ];
}

/** The jumps, as the first rules of the built-in chains; the last that is inserted is the first there. */
export function renderJumps({ jumps }: TableRules): string[] {
  return jumps.toReversed().map(({ from, text }) => `-I ${from} 1 ${text}`);
}

function renderRules({ name, rules }: IptablesChain): string[] {
  return rules.map(({ text }) => `-A ${name} ${text}`);
}
