/**
 * The reading of a list of names into the set of a rule. Pure.
 * @module
 */
import { OperationError } from "../../net/error.ts";
import type { NameTableBuilder } from "../table/builder.ts";
import { Entries } from "./entries.ts";
import { type ListLine, showLine } from "./excerpt.ts";
import { Lines } from "./lines.ts";

/** Bytes of the largest file. */
export const MAX_LIST_BYTES = 64 << 20;
/** The reason not to take a larger one. */
export const TOO_LARGE = `it is larger than ${MAX_LIST_BYTES >> 20} MiB`;
/** Names of the longest list. */
export const MAX_LIST_NAMES = 5_000_000;

/** A count of what a list has brought. */
export interface ListReport {
  /** Entries that the set did not have. */
  readonly names: number;
  /** Entries that it had, from this list or from elsewhere. */
  readonly duplicates: number;
  /** Lines with something that is in none of the formats. */
  readonly skipped: number;
  /** The first of them. */
  readonly firstSkipped?: ListLine;
}

/**
 * Adds what a list says to a set. Throws an OperationError for a file that is too large, and for one in which
 * there is no name, but something else. An empty file is an empty list, and so are comments alone.
 */
export function readList(
  bytes: Uint8Array,
  path: string,
  set: NameTableBuilder,
  maxNames = MAX_LIST_NAMES,
): ListReport {
  if (bytes.length > MAX_LIST_BYTES) throw refusal(path, TOO_LARGE);
  let [names, duplicates, skipped] = [0, 0, 0];
  let firstSkipped: ListLine | undefined;
  const entries = new Entries((kind, name, length) => {
    if (set.add(kind, name, length)) names++;
    else duplicates++;
  });
  const lines = new Lines(bytes);
  while (lines.read(entries)) {
    if (names > maxNames) {
      throw refusal(path, `it has more than ${maxNames.toLocaleString("en")} names`);
    }
    if (!lines.skipped) continue;
    skipped++;
    firstSkipped ??= showLine(bytes, lines.number, lines.start, lines.end);
  }
  if (firstSkipped === undefined) return { names, duplicates, skipped };
  if (names + duplicates === 0) {
    throw refusal(`${path}:${firstSkipped.number}:1`, `it has no name; this line is "${firstSkipped.text}"`);
  }
  return { names, duplicates, skipped, firstSkipped };
}

function refusal(place: string, reason: string): OperationError {
  return new OperationError({ operation: "read list of names", object: place, reason, usage: true });
}
