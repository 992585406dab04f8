/**
 * The entry by which a name is in a set or not, for those who ask why: the table has forgotten it. Pure.
 * @module
 */
import { NAME_KINDS, type NameKind } from "../kinds.ts";
import type { NamePattern } from "../pattern.ts";
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
const DOT = 0x2e;

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

/** Finds the first entry of `domains` that a canonical name meets; -1 if there is none. */
export function findPattern(patterns: readonly NamePattern[], name: string): number {
  const sought = ENCODER.encode(name);
  return patterns.findIndex((pattern) => {
    const entry = ENCODER.encode(pattern.name);
    return covers(pattern.kind, entry, entry.length, sought);
  });
}

/** Tells whether an entry speaks of a name: the entry's own, or one below. */
function covers(kind: NameKind, entry: Uint8Array, length: number, name: Uint8Array): boolean {
  const below = name.length - length;
  if (below < 0 || (kind === NAME_KINDS.exact && below > 0)) return false;
  if (kind === NAME_KINDS.below && below === 0) return false;
  if (below > 0 && name[below - 1] !== DOT) return false;
  for (let index = 0; index < length; index++) {
    if (entry[index] !== name[below + index]) return false;
  }
  return true;
}
