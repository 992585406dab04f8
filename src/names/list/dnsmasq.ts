/**
 * Lines of dnsmasq that keep names from the world: `address=/x/…` and `local=/x/`. Pure.
 * @module
 */
import { NAME_KINDS } from "../kinds.ts";
import type { Entries } from "./entries.ts";
import { beginsWith, wordOf } from "./words.ts";

const ADDRESS = wordOf("address=/");
const LOCAL = wordOf("local=/");
const SLASH = 0x2f;

/** Tells whether a line is one of these two. */
export function isDnsmasq(bytes: Uint8Array, start: number, end: number): boolean {
  return beginsWith(bytes, start, end, ADDRESS) || beginsWith(bytes, start, end, LOCAL);
}

/**
 * Reads such a line; there may be several names between slashes. Returns false if one is none, or if `local`
 * names a server: that one is asked then.
 */
export function readDnsmasq(bytes: Uint8Array, start: number, end: number, entries: Entries): boolean {
  const isLocal = beginsWith(bytes, start, end, LOCAL);
  if (isLocal && bytes[end - 1] !== SLASH) return false;
  let from = start + (isLocal ? LOCAL : ADDRESS).length;
  let read = false;
  for (let to = from; to < end; to++) {
    if (bytes[to] !== SLASH) continue;
    if (!entries.make(NAME_KINDS.both, bytes, from, to)) return false;
    read = true;
    from = to + 1;
  }
  return read;
}
