/**
 * The names of one rule: its `domains` and its lists are one set, in which exceptions win. Pure.
 * @module
 */
import { covers } from "./kinds.ts";
import { findInList } from "./list/find.ts";
import type { ListLine } from "./list/excerpt.ts";
import { type ListReport, readList } from "./list/read.ts";
import { patternOf } from "./pattern.ts";
import { NameTableBuilder } from "./table/builder.ts";

/** A file of names. */
export interface NameList {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Sources of a rule's names. */
export interface NameSources {
  /** Entries of `domains`, each as a pattern. */
  readonly domains: readonly string[];
  /** Each is taken when its turn comes, so that it may be read from its file then. */
  readonly lists: Iterable<NameList>;
}

/** A set that is made. */
export interface BuiltNameSet {
  /** For a {@linkcode NameTable} of any thread. */
  readonly image: SharedArrayBuffer;
  /** Counts of the lists, in their order. */
  readonly reports: readonly (ListReport & { readonly path: string })[];
}

/**
 * Makes the set of a rule. `seed` is two random words, so that nobody can make lists that collide. Throws an
 * OperationError for a list that is none, or too large.
 */
export function buildNameSet({ domains, lists }: NameSources, seed: Int32Array): BuiltNameSet {
  const builder = new NameTableBuilder(seed);
  for (const text of domains) builder.addPattern(patternOf(text));
  const reports = Array.from(lists, ({ path, bytes }) => ({ path, ...readList(bytes, path, builder) }));
  return { image: builder.build(), reports };
}

/** A place that speaks of a name: an entry of `domains`, by its index, or a line of a list. */
export type NamePlace = { readonly domain: number } | { readonly path: string; readonly line: ListLine };

/** First places that speak of a name. It is in the set if there is an entry and no exception. */
export interface NameFindings {
  readonly entry?: NamePlace;
  readonly exception?: NamePlace;
}

const ENCODER = new TextEncoder();

/** Finds the places that speak of a canonical name; reads all lists. */
export function findName({ domains, lists }: NameSources, name: string): NameFindings {
  const sought = ENCODER.encode(name);
  const domain = domains.findIndex((text) => {
    const { kind, name } = patternOf(text);
    return covers(kind, ENCODER.encode(name), name.length, sought);
  });
  const findings: { entry?: NamePlace; exception?: NamePlace } = domain < 0 ? {} : { entry: { domain } };
  for (const { path, bytes } of lists) {
    const { entry, exception } = findInList(bytes, name);
    if (entry !== undefined) findings.entry ??= { path, line: entry };
    if (exception !== undefined) findings.exception ??= { path, line: exception };
  }
  return findings;
}
