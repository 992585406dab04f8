/**
 * Output of `iptables-save`, as far as it is ours. Pure.
 * @module
 */
import {
  CHAIN_PREFIX,
  type IptablesJump,
  OWNER_CHAIN,
  OWNER_COMMENT,
  type TableName,
  type TableRules,
  TRIAL_OWNER_CHAIN,
} from "../compile/model.ts";

const TABLES: readonly string[] = ["raw", "mangle", "filter"] satisfies TableName[];

/** Our chains in a table of the kernel, and the jumps to them. */
export interface SavedTable {
  readonly table: TableName;
  /** Our chains with their rules, without `-A CHAIN`; the owner's chain among them. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  readonly jumps: readonly SavedJump[];
  /** The comment of the owner's rule; undefined: there is none, so the chains are not of an install. */
  readonly comment: string | undefined;
  /** The same of a trial beside an install. */
  readonly trialComment?: string | undefined;
}

/** A rule of a built-in chain that leads to ours. */
export interface SavedJump extends IptablesJump {
  /** The number of rules before it that do not lead to ours. */
  readonly behind: number;
}

/** Reads the tables in which chains with our prefix are. */
export function parseSaved(text: string): SavedTable[] {
  const tables: SavedTable[] = [];
  for (const section of text.split(/^\*/m).slice(1)) {
    const [table, ...lines] = section.split("\n");
    if (!TABLES.includes(table)) continue;
    const parsed = parseTable(table as TableName, lines);
    if (parsed.chains.size > 0) tables.push(parsed);
  }
  return tables;
}

function parseTable(table: TableName, lines: readonly string[]): SavedTable {
  const chains = new Map<string, string[]>();
  const jumps: SavedJump[] = [];
  const others = new Map<string, number>();
  for (const line of lines) {
    const declared = /^:(\S+) /.exec(line)?.[1];
    if (declared?.startsWith(CHAIN_PREFIX)) chains.set(declared, []);
    const [, chain, text] = /^-A (\S+) (.*)$/.exec(line) ?? [];
    if (chain === undefined) continue;
    if (chain.startsWith(CHAIN_PREFIX)) chains.get(chain)?.push(text);
    else if (leadsToOurs(text)) jumps.push({ from: chain, text, behind: others.get(chain) ?? 0 });
    else others.set(chain, (others.get(chain) ?? 0) + 1);
  }
  const trial = chains.get(TRIAL_OWNER_CHAIN);
  return {
    table,
    chains,
    jumps,
    comment: readOwner(chains.get(OWNER_CHAIN)),
    ...(trial === undefined ? {} : { trialComment: readOwner(trial) }),
  };
}

/**
 * Reads the owner. A flush of a whole table (`iptables -t mangle -F`) leaves the chains, empty: they are
 * still ours.
 */
function readOwner(rules: readonly string[] | undefined): string | undefined {
  if (rules?.length === 0) return OWNER_COMMENT;
  const comment = /--comment "([^"]*)"/.exec(rules?.[0] ?? "")?.[1];
  return comment?.startsWith(OWNER_COMMENT) ? comment : undefined;
}

function leadsToOurs(text: string): boolean {
  return new RegExp(`-[jg] ${CHAIN_PREFIX}\\S+$`).test(text);
}

/** Turns present rules into wanted ones, so that they can be brought back. */
export function toTableRules({ table, chains, jumps }: SavedTable): TableRules {
  return {
    table,
    chains: [...chains].map(([name, rules]) => ({
      name,
      rules: rules.map((text) => ({ text, reason: "" })),
      reason: "",
    })),
    jumps,
  };
}

/**
 * A rule in a form in which two that are written differently are equal: the order of options has no meaning
 * in ours.
 */
export function canonicalRule(text: string): string {
  const parts = text.split(/ (?=(?:! )?-)/)
    // Hardware addresses are in capitals or not, as the version of iptables likes.
    .map((part) => part.startsWith("--mac-source") ? part.toLowerCase() : part);
  return parts.toSorted().join(" ");
}
