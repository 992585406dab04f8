/**
 * User data: type-length-value bytes that nft hangs on objects and the kernel gives back unread. Pure.
 * @module
 */
import { readString } from "../attribute.ts";

/** libnftnl/udata.h: NFTNL_UDATA_RULE_COMMENT, and the same for tables, chains and elements. */
const COMMENT = 0;
/** libnftnl/udata.h: enum nftnl_udata_set_types */
export const SET_KEY_BYTE_ORDER = 0;
export const SET_DATA_BYTE_ORDER = 1;
export const SET_KEY_TYPEOF = 3;
export const SET_DATA_INTERVAL = 6;
export const SET_COMMENT = 7;
/** NFT_USERDATA_MAXLEN for the whole, and one byte for each length. */
const MAX_LENGTH = 255;

/** One entry. */
export function userDataEntry(type: number, value: Uint8Array): Uint8Array {
  if (value.length > MAX_LENGTH) throw new RangeError(`Cannot encode comment of ${value.length} bytes`);
  return Uint8Array.of(type, value.length, ...value);
}

/** An entry with a 32-bit number in the machine's byte order. */
export function userDataNumber(type: number, value: number): Uint8Array {
  return userDataEntry(type, new Uint8Array(Uint32Array.of(value).buffer));
}

/** An entry with text, NUL-terminated. */
export function userDataText(type: number, text: string): Uint8Array {
  return userDataEntry(type, new TextEncoder().encode(`${text}\0`));
}

/** A comment of a table, chain, rule or element: at most 128 bytes for nft to read it. */
export function encodeComment(comment: string): Uint8Array {
  return userDataText(COMMENT, comment);
}

function findEntry(data: Uint8Array | undefined, type: number): Uint8Array | undefined {
  for (let offset = 0; data !== undefined && offset + 2 <= data.length; offset += 2 + data[offset + 1]) {
    if (data[offset] === type) return data.subarray(offset + 2, offset + 2 + data[offset + 1]);
  }
  return undefined;
}

/** Tells whether there is an entry of that type. */
export function hasUserDataEntry(data: Uint8Array | undefined, type: number): boolean {
  return findEntry(data, type) !== undefined;
}

/** The comment among user data, if there is one. Bytes that are no entries are passed over. */
export function decodeComment(data: Uint8Array | undefined, type = COMMENT): string | undefined {
  const entry = findEntry(data, type);
  return entry === undefined ? undefined : readString(entry);
}

/** Bytes after bytes. */
export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
