/**
 * The lines by which a list has a name or not, for those who ask why: the table has forgotten them. Pure.
 * @module
 */
import { covers, NAME_KINDS } from "../kinds.ts";
import { Entries } from "./entries.ts";
import { type ListLine, showLine } from "./excerpt.ts";
import { Lines } from "./lines.ts";

/** First lines of a list that speak of a name. */
export interface ListFindings {
  /** Puts it into the set. */
  readonly entry?: ListLine;
  /** Takes it out, whatever this list or another says. */
  readonly exception?: ListLine;
}

const ENCODER = new TextEncoder();

/** Finds the lines of a list that speak of a canonical name; reads the whole list. */
export function findInList(bytes: Uint8Array, name: string): ListFindings {
  const sought = ENCODER.encode(name);
  let found = 0;
  const entries = new Entries((kind, entry, length) => {
    if (covers(kind, entry, length, sought)) found |= kind;
  });
  const findings: { entry?: ListLine; exception?: ListLine } = {};
  const lines = new Lines(bytes);
  while (lines.read(entries)) {
    if (found === 0) continue;
    const line = showLine(bytes, lines.number, lines.start, lines.end);
    if ((found & NAME_KINDS.both) !== 0) findings.entry ??= line;
    if ((found & NAME_KINDS.exception) !== 0) findings.exception ??= line;
    found = 0;
  }
  return findings;
}
