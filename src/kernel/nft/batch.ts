/**
 * The table as one atomic batch. Pure.
 * @module
 */
import { NftBatch } from "../../netlink/nft/batch.ts";
import { lowerRule } from "./lower.ts";
import type { CompiledChain, CompiledTable } from "./model.ts";
import { inReadingOrder } from "./reading_order.ts";
import { setElements, setProperties } from "./set_elements.ts";

/**
 * Replaces the table, whether it is there or not. Equivalent to: nft -f with what {@linkcode renderNft}
 * prints.
 */
export function replaceTable(table: CompiledTable): NftBatch {
  const batch = new NftBatch();
  const where = { family: "inet", table: table.name } as const;
  batch.destroyTable({ family: "inet", name: table.name });
  const { name, comment, flags } = table;
  batch.addTable({ family: "inet", name, comment, ...(flags === undefined ? {} : { flags }) });
  for (const set of table.sets) {
    const name = { ...where, name: set.name };
    batch.addSet({ ...name, ...setProperties(set) });
    batch.addElements(name, setElements(set));
  }
  const chains = inReadingOrder(table.chains);
  for (const chain of chains) addChain(batch, where, chain);
  // Rules come after all chains, as nft does it, so that the kernel gives both the same handles.
  for (const chain of chains) {
    for (const rule of chain.rules) {
      const expressions = lowerRule(
        rule.statements,
        (type, keys) => batch.addAnonymousSet({ ...where, type: [type] }, keys.map((key) => ({ key }))),
      );
      batch.addRule({ ...where, chain: chain.name, expressions });
    }
  }
  return batch;
}

function addChain(batch: NftBatch, where: { family: "inet"; table: string }, chain: CompiledChain): void {
  batch.addChain({
    ...where,
    name: chain.name,
    ...(chain.hook === undefined ? {} : { base: { type: "filter", policy: "accept", ...chain.hook } }),
  });
}
