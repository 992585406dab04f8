/**
 * The table as one atomic batch. Pure.
 * @module
 */
import { NftBatch } from "../../netlink/nft/batch.ts";
import { lowerRule } from "./lower.ts";
import type { PlannedSet } from "../plan/rules/set.ts";
import type { CompiledChain, CompiledTable, TableContents } from "./model.ts";
import { inReadingOrder } from "./reading_order.ts";
import { setElements, setProperties } from "./set_elements.ts";

/** A table of family inet. */
interface Where {
  readonly family: "inet";
  readonly table: string;
}

/**
 * Replaces the table, whether it is there or not; `batch`: after what that does. Equivalent to: nft -f with
 * what {@linkcode renderNft} prints.
 */
export function replaceTable(table: CompiledTable, batch = new NftBatch()): NftBatch {
  batch.destroyTable({ family: "inet", name: table.name });
  const { name, comment, flags } = table;
  batch.addTable({ family: "inet", name, comment, ...(flags === undefined ? {} : { flags }) });
  addContents(batch, table);
  return batch;
}

/** Adds what a table holds to a new, empty one. */
export function addContents(
  batch: NftBatch,
  { name, sets, chains }: TableContents & { readonly name: string },
): void {
  const where = { family: "inet", table: name } as const;
  addSets(batch, where, sets);
  addChains(batch, where, chains);
  addRules(batch, where, chains);
}

/** Adds sets and their elements. */
export function addSets(batch: NftBatch, where: Where, sets: readonly PlannedSet[]): void {
  for (const set of sets) {
    const name = { ...where, name: set.name };
    batch.addSet({ ...name, ...setProperties(set) });
    batch.addElements(name, setElements(set));
  }
}

/** Adds chains without their rules. */
export function addChains(batch: NftBatch, where: Where, chains: readonly CompiledChain[]): void {
  for (const chain of inReadingOrder(chains)) {
    batch.addChain({
      ...where,
      name: chain.name,
      ...(chain.hook === undefined ? {} : { base: { type: "filter", policy: "accept", ...chain.hook } }),
    });
  }
}

/**
 * Adds the rules of chains that are there: after all chains, as nft does it, so that the kernel gives both
 * the same handles.
 */
export function addRules(batch: NftBatch, where: Where, chains: readonly CompiledChain[]): void {
  for (const chain of inReadingOrder(chains)) {
    for (const rule of chain.rules) {
      const expressions = lowerRule(
        rule.statements,
        (type, keys) => batch.addAnonymousSet({ ...where, type: [type] }, keys.map((key) => ({ key }))),
      );
      batch.addRule({ ...where, chain: chain.name, expressions });
    }
  }
}

/** The part of a table's contents that is to become another. */
export interface Exchange {
  /** All chains that are there: their rules hold chains and sets, so they go first. */
  readonly before: readonly Named[];
  readonly gone: { readonly chains: readonly Named[]; readonly sets: readonly Named[] };
  readonly added: TableContents;
  /** All chains that are there afterwards. */
  readonly next: readonly CompiledChain[];
}

interface Named {
  readonly name: string;
}

/** Turns the contents of a table into others; what stays keeps what packets have put into it. */
export function exchangeContents(
  batch: NftBatch,
  where: Where,
  { before, gone, added, next }: Exchange,
): void {
  for (const { name } of before) batch.flushChain({ ...where, name });
  for (const { name } of gone.chains) batch.deleteChain({ ...where, name });
  for (const { name } of gone.sets) batch.deleteSet({ ...where, name });
  addSets(batch, where, added.sets);
  addChains(batch, where, added.chains);
  addRules(batch, where, next);
}
