/**
 * The begin and the end of a trial, each as one atomic batch. Pure.
 * @module
 */
import { TABLE_NAME } from "../../../constants.ts";
import { NftBatch } from "../../../netlink/nft/batch.ts";
import type { NftRule } from "../../../netlink/nft/rule.ts";
import { addContents } from "../batch.ts";
import type { CompiledTable } from "../model.ts";
import type { InstalledTableHead } from "../state/state.ts";
import { GATE, gateElements, gateRule, isGate, isOnTrial, putOnTrial, TRIAL_SET } from "./generations.ts";

const TABLE = { family: "inet", name: TABLE_NAME } as const;
const WHERE = { family: "inet", table: TABLE_NAME } as const;
const SET = { ...WHERE, name: TRIAL_SET } as const;

/** Puts rules beside the former ones, before which they go for that long. */
export function beginTrial(
  table: CompiledTable,
  former: InstalledTableHead | undefined,
  timeoutMs: number,
): NftBatch {
  const batch = new NftBatch();
  if (former === undefined) batch.addTable({ ...TABLE, comment: table.comment });
  batch.addSet({ ...SET, ...GATE });
  const onTrial = putOnTrial(table);
  addContents(batch, { name: TABLE_NAME, ...onTrial });
  const addGate = (chain: string, generation: "on trial" | "former") =>
    batch.addRule({ ...WHERE, chain, expressions: gateRule(generation) }, { first: true });
  for (const { name, hook } of onTrial.chains) if (hook !== undefined) addGate(name, "on trial");
  for (const { name, base } of former?.chains ?? []) if (base !== undefined) addGate(name, "former");
  return batch.addElements(SET, gateElements(timeoutMs));
}

/** The objects of a table, by their names. */
export interface NamedObjects extends InstalledTableHead {
  readonly sets: readonly { readonly name: string }[];
  readonly rules: readonly NftRule[];
}

/** Takes the rules on trial away: the former ones are as they were before. */
export function endTrial({ chains, sets, rules }: NamedObjects): NftBatch {
  const batch = new NftBatch();
  if (chains.every(({ name }) => isOnTrial(name))) return batch.deleteTable(TABLE);
  for (const { chain, expressions, handle } of rules) {
    if (handle !== undefined && !isOnTrial(chain) && isGate(expressions)) {
      batch.deleteRule({ ...WHERE, chain, handle });
    }
  }
  const names = chains.map(({ name }) => name).filter(isOnTrial);
  // Rules hold chains and sets, so they go first.
  for (const name of names) batch.flushChain({ ...WHERE, name });
  for (const name of names) batch.deleteChain({ ...WHERE, name });
  for (const { name } of sets) if (isOnTrial(name)) batch.deleteSet({ ...WHERE, name });
  return batch.deleteSet(SET);
}

/** Takes the gate's elements away, in a batch that keeps what was on trial: it fails where they have gone. */
export function requireTrial(batch: NftBatch): NftBatch {
  return batch.deleteElements(SET, gateElements(0).map(({ key }) => ({ key })));
}
