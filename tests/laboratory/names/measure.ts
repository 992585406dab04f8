/**
 * Measurements of a set of names: the time that a list takes to load, memory, the time of a look-up.
 * @module
 */
import { readList } from "../../../src/names/list/read.ts";
import { NameTableBuilder } from "../../../src/names/table/builder.ts";
import { NameTable } from "../../../src/names/table/table.ts";

/** Numbers of one list. */
export interface NameFigures {
  /** Milliseconds from the file's bytes to the table. */
  readonly load: number;
  /** Bytes of the shared memory. */
  readonly memory: number;
  /** Microseconds of a look-up that finds a name. */
  readonly hit: number;
  /** Microseconds of one that finds none. */
  readonly miss: number;
}

/** Names, as bytes, that a set has and that it has not. */
export interface Questions {
  readonly inside: readonly Uint8Array[];
  readonly outside: readonly Uint8Array[];
}

/** Loads a list and asks for names; throws if an answer is wrong. */
export function measureNames(list: Uint8Array, { inside, outside }: Questions): NameFigures {
  const begun = performance.now();
  const builder = new NameTableBuilder(crypto.getRandomValues(new Int32Array(2)));
  readList(list, "list", builder);
  const image = builder.build();
  const load = performance.now() - begun;
  const table = new NameTable(image);
  return {
    load,
    memory: image.byteLength,
    hit: timeLookUp(table, inside, true),
    miss: timeLookUp(table, outside, false),
  };
}

/** The best of each figure: others who use the processor only make them worse. */
export function bestOf(figures: readonly NameFigures[]): NameFigures {
  const best = (key: keyof NameFigures) => Math.min(...figures.map((each) => each[key]));
  return { load: best("load"), memory: best("memory"), hit: best("hit"), miss: best("miss") };
}

function timeLookUp(table: NameTable, names: readonly Uint8Array[], expected: boolean): number {
  let found = 0;
  const begun = performance.now();
  for (const name of names) {
    if (table.has(name, name.length)) found++;
  }
  const microseconds = (performance.now() - begun) * 1000 / names.length;
  if (found !== (expected ? names.length : 0)) throw new Error(`${found} of ${names.length} names are found`);
  return microseconds;
}
