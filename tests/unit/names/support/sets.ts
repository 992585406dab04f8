/**
 * Sets of names for tests.
 * @module
 */
import { NAME_KINDS } from "../../../../src/names/kinds.ts";
import { NameTableBuilder } from "../../../../src/names/table/builder.ts";
import { NameTable } from "../../../../src/names/table/table.ts";
import type { NaiveEntry } from "./naive.ts";

/** A seed like any other. */
export const SEED = Int32Array.of(0x12345678, -0x6543210f);

/** Asks a table by text. */
export function asker(image: SharedArrayBuffer): (name: string) => boolean {
  const table = new NameTable(image);
  // A longer name of another flow is still there, as in a worker.
  const bytes = new Uint8Array(255).fill(0x61);
  return (name) => table.has(bytes, new TextEncoder().encodeInto(name, bytes).written);
}

/** The builder of a set with these entries. */
export function builderOf(entries: readonly NaiveEntry[], seed = SEED): NameTableBuilder {
  const builder = new NameTableBuilder(seed);
  for (const { kind, name } of entries) {
    const bytes = new TextEncoder().encode(name);
    builder.add(NAME_KINDS[kind], bytes, bytes.length);
  }
  return builder;
}
