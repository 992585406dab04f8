/**
 * Lines of ad blockers that speak of whole names: `||x^` and its exception `@@||x^`. Pure.
 * @module
 */
import { NAME_KINDS } from "../kinds.ts";
import type { Entries } from "./entries.ts";
import { beginsWith, isOneOf, wordOf } from "./words.ts";

const NAME = wordOf("||");
const EXCEPTION = wordOf("@@||");
const CARET = 0x5e;
/** Behind the name: nothing, or a modifier that sets it above exceptions of others. */
const ENDINGS = ["^", "^$important"].map(wordOf);

/** Reads a line that begins with `|` or `@`. Returns false if it says anything else, or more. */
export function readAdblock(bytes: Uint8Array, start: number, end: number, entries: Entries): boolean {
  const isException = beginsWith(bytes, start, end, EXCEPTION);
  if (!isException && !beginsWith(bytes, start, end, NAME)) return false;
  const from = start + (isException ? EXCEPTION : NAME).length;
  let to = from;
  while (to < end && bytes[to] !== CARET) to++;
  if (!isOneOf(bytes, to, end, ENDINGS)) return false;
  return entries.make(isException ? NAME_KINDS.exception : NAME_KINDS.both, bytes, from, to);
}
