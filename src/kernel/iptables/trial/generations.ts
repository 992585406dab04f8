/**
 * Two generations of our chains in the tables of iptables: those on trial, and the former ones. A list of the
 * match `recent` is the gate between them: while an entry is younger than the trial is long, jumps lead to
 * the rules on trial, and then to the former ones again, without anybody's doing. Pure.
 * @module
 */
import { EVERYBODY, TRIAL_LISTS } from "../../../constants.ts";
import type { Family } from "../../../net/ip.ts";
import {
  CHAIN_PREFIX,
  type FamilyRules,
  type IptablesJump,
  OWNER_CHAIN,
  type TableRules,
  TRIAL_CHAIN_PREFIX,
  TRIAL_OWNER_CHAIN,
} from "../compile/model.ts";
import { withOwner } from "../state/owner.ts";
import { type SavedJump, type SavedTable, toTableRules } from "../state/saved.ts";

const GATE = new RegExp(
  `^-m recent (?:! )?--rcheck --seconds \\d+ --name (?:${
    Object.values(TRIAL_LISTS).join("|")
  }) \\S+ \\S+ --rsource `,
);
const NAMES = new RegExp(`\\b${CHAIN_PREFIX}(?!T_)`, "g");
const TRIAL_NAMES = new RegExp(`\\b${TRIAL_CHAIN_PREFIX}`, "g");

/** Seconds of the gate for a trial that is so long. */
export function gateSeconds(timeoutMs: number): number {
  return Math.ceil(timeoutMs / 1000);
}

/** Writes a jump that one of the generations sees. */
function behindGate(
  { from, text }: IptablesJump,
  gate: { readonly family: Family; readonly seconds: number; readonly onTrial: boolean },
): IptablesJump {
  const { family, seconds, onTrial } = gate;
  const match =
    `-m recent ${onTrial ? "" : "! "}--rcheck --seconds ${seconds} --name ${TRIAL_LISTS[family]} ` +
    `--mask ${EVERYBODY[family]} --rsource`;
  return { from, text: `${match} ${text}` };
}

/** Joins the rules on trial with the former ones of each table. `made`: what the first cause to be made. */
export function joinGenerations(
  { family, tables }: FamilyRules,
  former: readonly SavedTable[],
  { seconds, made }: { readonly seconds: number; readonly made: (table: TableRules) => readonly string[] },
): TableRules[] {
  const find = (name: string) => former.find(({ table }) => table === name);
  const joined = tables.map((rules): TableRules => {
    const before = find(rules.table);
    const onTrial = putOnTrial(rules);
    const jumps = onTrial.jumps.map((jump) => behindGate(jump, { family, seconds, onTrial: true }));
    if (before === undefined) return withOwner({ ...onTrial, jumps }, made(rules));
    const gated = putBehind(before, { family, seconds });
    const [owner] = withOwner(onTrial, made(rules)).chains;
    return {
      ...gated,
      chains: [...gated.chains, { ...owner, name: TRIAL_OWNER_CHAIN }, ...onTrial.chains],
      jumps: [...jumps, ...gated.jumps],
    };
  });
  const rest = former.filter(({ table }) => !tables.some((rules) => rules.table === table));
  // raw marks packets, and so comes last.
  return [...rest.map((table) => putBehind(table, { family, seconds })), ...joined];
}

function putBehind(
  table: SavedTable,
  gate: { readonly family: Family; readonly seconds: number },
): TableRules {
  const rules = toTableRules(table);
  return { ...rules, jumps: rules.jumps.map((jump) => behindGate(jump, { ...gate, onTrial: false })) };
}

/** Gives chains their names on trial. */
function putOnTrial({ table, chains, jumps }: TableRules): TableRules {
  const rename = (text: string) => text.replaceAll(NAMES, TRIAL_CHAIN_PREFIX);
  return {
    table,
    chains: chains.map((chain) => ({
      ...chain,
      name: rename(chain.name),
      rules: chain.rules.map((rule) => ({ ...rule, text: renameTarget(rule.text, rename) })),
    })),
    jumps: jumps.map((jump) => ({ ...jump, text: renameTarget(jump.text, rename) })),
  };
}

/** Renames the chain to which a rule leads, and nothing that only looks like one. */
function renameTarget(text: string, rename: (name: string) => string): string {
  return text.replace(/( |^)-([gj]) (\S+)$/, (_, before, way, name) => `${before}-${way} ${rename(name)}`);
}

/**
 * Gives the tables of the generation that holds as if the other one were not there, nor the gate; a table of
 * the other one alone is none.
 */
export function tablesInForce(
  tables: readonly SavedTable[],
  { onTrial }: { readonly onTrial: boolean },
): SavedTable[] {
  return tables.flatMap((table) => generationOf(table, onTrial) ?? []);
}

function generationOf(table: SavedTable, onTrial: boolean): SavedTable | undefined {
  const { chains, jumps } = table;
  if (!jumps.some(({ text }) => GATE.test(text)) && !isOnTrial(table)) return table;
  const plain = (name: string) => name.replaceAll(TRIAL_NAMES, CHAIN_PREFIX);
  const holds = (name: string) => name.startsWith(TRIAL_CHAIN_PREFIX) === onTrial;
  const kept = [...chains].filter(([name]) =>
    name !== TRIAL_OWNER_CHAIN && name !== OWNER_CHAIN && holds(name)
  );
  if (kept.length === 0) return undefined;
  return {
    ...table,
    chains: new Map([
      ...[...chains].filter(([name]) => name === OWNER_CHAIN),
      ...kept.map(([name, rules]) => [plain(name), rules.map((text) => renameTarget(text, plain))] as const),
    ]),
    jumps: jumps.filter(({ text }) => holds(/\S+$/.exec(text)![0])).map((jump): SavedJump => ({
      ...jump,
      text: renameTarget(jump.text.replace(GATE, ""), plain),
    })),
  };
}

/** Tells whether chains on trial are in a table. */
function isOnTrial({ chains }: SavedTable): boolean {
  return [...chains.keys()].some((name) => name.startsWith(TRIAL_CHAIN_PREFIX));
}
