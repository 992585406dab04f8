/**
 * Lines of a hosts file that send names nowhere: `0.0.0.0 x`. Pure.
 * @module
 */
import { parseIp } from "../../net/ip.ts";
import { NAME_KINDS } from "../kinds.ts";
import type { Entries } from "./entries.ts";
import { isOneOf, isRemark, skipSpace, skipWord, wordOf } from "./words.ts";

/** Addresses of nowhere, and of the reader's own machine. */
const NOWHERE = ["0.0.0.0", "127.0.0.1", "::", "::1", "0"].map(wordOf);
/** Names with a dot that hosts files have for the machine itself. */
const OWN = [wordOf("localhost.localdomain"), ...NOWHERE];
const DOT = 0x2e;
const DECODER = new TextDecoder();

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

/** Tells whether it is an address, with or without the interface of its link. */
function isAddress(bytes: Uint8Array, start: number, end: number): boolean {
  return parseIp(DECODER.decode(bytes.subarray(start, end)).replace(/%.*/, "")) !== undefined;
}

function isOwn(bytes: Uint8Array, start: number, end: number): boolean {
  let dot = start;
  while (dot < end && bytes[dot] !== DOT) dot++;
  return dot === end || isOneOf(bytes, start, end, OWN);
}
