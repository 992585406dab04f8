/**
 * Lines of a list of names, each in any of the formats: hosts, names alone, those of ad blockers and of
 * dnsmasq. Pure.
 * @module
 */
import { NAME_KINDS } from "../kinds.ts";
import { readAdblock } from "./adblock.ts";
import { isDnsmasq, readDnsmasq } from "./dnsmasq.ts";
import type { Entries } from "./entries.ts";
import { readHosts } from "./hosts.ts";
import { isRemark, isSpace, skipSpace, skipWord } from "./words.ts";

/** Bytes of the longest line. */
export const MAX_LINE_LENGTH = 4096;

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const [STAR, DOT, BAR, AT, BANG] = [0x2a, 0x2e, 0x7c, 0x40, 0x21];
const [OPENING, CLOSING] = [0x5b, 0x5d];

/** Reader of the lines of a list, one after the other. */
export class Lines {
  /** Number of the line that was read last, from 1 on. */
  number = 0;
  /** Place of its first byte that is no space. */
  start = 0;
  /** Place behind its last one. */
  end = 0;
  /** The line has something that was not understood. */
  skipped = false;
  readonly #bytes: Uint8Array;
  #next: number;

  /** Begins at the first line. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#next = BYTE_ORDER_MARK.every((byte, index) => bytes[index] === byte) ? BYTE_ORDER_MARK.length : 0;
  }

  /** Reads the next line into `entries`. Returns false if there is none. */
  read(entries: Entries): boolean {
    const bytes = this.#bytes;
    if (this.#next >= bytes.length) return false;
    let end = this.#next;
    while (end < bytes.length && bytes[end] !== NEWLINE) end++;
    this.start = skipSpace(bytes, this.#next, end);
    this.#next = end + 1;
    while (end > this.start && isSpace(bytes[end - 1])) end--;
    this.end = end;
    this.number++;
    this.skipped = !readLine(bytes, this.start, end, entries);
    return true;
  }
}

/** Reads a line without the space around it. Returns false if it has something that is not understood. */
function readLine(bytes: Uint8Array, start: number, end: number, entries: Entries): boolean {
  if (start === end || isRemark(bytes[start]) || bytes[start] === BANG) return true;
  // The heading of an ad blocker's list: [Adblock Plus 2.0].
  if (bytes[start] === OPENING && bytes[end - 1] === CLOSING) return true;
  if (end - start > MAX_LINE_LENGTH) return false;
  const space = skipWord(bytes, start, end);
  const second = skipSpace(bytes, space, end);
  return second === end || isRemark(bytes[second])
    ? readWord(bytes, start, space, entries)
    : readHosts(bytes, start, space, end, entries);
}

function readWord(bytes: Uint8Array, start: number, end: number, entries: Entries): boolean {
  const first = bytes[start];
  if (first === BAR || first === AT) return readAdblock(bytes, start, end, entries);
  if (first === DOT) return entries.make(NAME_KINDS.both, bytes, start + 1, end);
  if (first === STAR) {
    return bytes[start + 1] === DOT && entries.make(NAME_KINDS.below, bytes, start + 2, end);
  }
  if (isDnsmasq(bytes, start, end)) return readDnsmasq(bytes, start, end, entries);
  return entries.make(NAME_KINDS.exact, bytes, start, end);
}
