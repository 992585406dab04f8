/**
 * Lines of a hosts file that send names nowhere: `0.0.0.0 x`. Pure.
 * @module
 */
import { NAME_KINDS } from "../kinds.ts";
import type { Entries } from "./entries.ts";
import { isOneOf, isRemark, skipSpace, skipWord, wordOf } from "./words.ts";

/** Addresses of nowhere, and of the reader's own machine. */
const NOWHERE = ["0.0.0.0", "127.0.0.1", "::", "::1", "0"].map(wordOf);
/** Names with a dot that hosts files have for the machine itself. */
const OWN = [wordOf("localhost.localdomain"), ...NOWHERE];
const [DOT, COLON, PERCENT] = [0x2e, 0x3a, 0x25];
const [DIGIT_ZERO, DIGIT_NINE, LETTER_A, LETTER_F] = [0x30, 0x39, 0x61, 0x66];

/**
 * Reads a line of several words, the first of which ends at `space`. Passes over names of the machine itself:
 * those without a dot, `localhost.localdomain`, and an address for its own name. Returns false if it has
 * anything else that is no name, or if its address is another one and the names are not the machine's.
 */
export function readHosts(
  bytes: Uint8Array,
  start: number,
  space: number,
  end: number,
  entries: Entries,
): boolean {
  const leadsNowhere = isOneOf(bytes, start, space, NOWHERE);
  if (!leadsNowhere && !isAddress(bytes, start, space)) return false;
  let understood = true;
  for (let from = skipSpace(bytes, space, end); from < end && !isRemark(bytes[from]);) {
    const to = skipWord(bytes, from, end);
    if (!isOwn(bytes, from, to)) {
      if (!leadsNowhere || !entries.make(NAME_KINDS.exact, bytes, from, to)) understood = false;
    }
    from = skipSpace(bytes, to, end);
  }
  return understood;
}

/**
 * Tells whether it looks like an address, with or without the interface of its link. A list may have millions
 * of such lines, and nothing but the count of the others hangs on it.
 */
function isAddress(bytes: Uint8Array, start: number, end: number): boolean {
  let separated = false;
  for (let at = start; at < end && bytes[at] !== PERCENT; at++) {
    const byte = bytes[at] | 0x20; // lower case
    const isDigit = (bytes[at] >= DIGIT_ZERO && bytes[at] <= DIGIT_NINE) ||
      (byte >= LETTER_A && byte <= LETTER_F);
    if (bytes[at] === DOT || bytes[at] === COLON) separated = true;
    else if (!isDigit) return false;
  }
  return separated;
}

function isOwn(bytes: Uint8Array, start: number, end: number): boolean {
  let dot = start;
  while (dot < end && bytes[dot] !== DOT) dot++;
  return dot === end || isOneOf(bytes, start, end, OWN);
}
