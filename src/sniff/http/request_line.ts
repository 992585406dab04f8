/**
 * The request line of HTTP/1 and the host in its target (RFC 9112, 3). Pure.
 * @module
 */
import type { FoundName } from "../found.ts";
import { readHost } from "./authority.ts";

/** The target names no host: the field Host does. */
export const ELSEWHERE = 0;
/** The target names the host. */
export const IN_TARGET = 1;
/** The line is none of HTTP/1, or its host has no name. */
export const NOWHERE = -1;

const LONGEST_METHOD = 32;

const SPACE = 0x20;
const HASH = 0x23;
const ASTERISK = 0x2a;
const PLUS = 0x2b;
const HYPHEN = 0x2d;
const DOT = 0x2e;
const SLASH = 0x2f;
const COLON = 0x3a;
const QUESTION = 0x3f;
const AT = 0x40;
const UNDERSCORE = 0x5f;

const CONNECT = [0x43, 0x4f, 0x4e, 0x4e, 0x45, 0x43, 0x54, SPACE];
/** ` HTTP/1.`, and a digit. */
const VERSION = [SPACE, 0x48, 0x54, 0x54, 0x50, SLASH, 0x31, DOT];

/**
 * Tells whether the bytes may be the begin of a request line: so much of a method as is there, in capitals.
 * Most other protocols differ within a few bytes.
 */
export function beginsLikeRequest(bytes: Uint8Array, length: number): boolean {
  for (let at = 0; at < length; at++) {
    const byte = bytes[at];
    if (byte === SPACE) return at > 0;
    const allowed = isCapital(byte) || isDigit(byte) || byte === HYPHEN || byte === UNDERSCORE;
    if (!allowed || at === LONGEST_METHOD) return false;
  }
  return true;
}

/**
 * Reads the whole request line `bytes[0, end)`, whose method has been looked at.
 *
 * @returns IN_TARGET with the name, ELSEWHERE, or NOWHERE
 */
export function readRequestLine(bytes: Uint8Array, end: number, found: FoundName): number {
  let start = 0;
  while (start < end && bytes[start] !== SPACE) start++;
  start++;
  const targetEnd = end - VERSION.length - 1;
  if (targetEnd <= start || !isDigit(bytes[end - 1]) || !holds(bytes, targetEnd, VERSION)) return NOWHERE;
  for (let at = start; at < targetEnd; at++) {
    if (bytes[at] === SPACE) return NOWHERE;
  }
  return readTarget(bytes, start, targetEnd, found);
}

function readTarget(bytes: Uint8Array, start: number, end: number, found: FoundName): number {
  if (holds(bytes, 0, CONNECT)) return readAuthority(bytes, start, end, found);
  if (bytes[start] === SLASH) return ELSEWHERE;
  if (bytes[start] === ASTERISK) return end === start + 1 ? ELSEWHERE : NOWHERE;
  let colon = start;
  while (colon < end && isOfScheme(bytes[colon])) colon++;
  const isAbsolute = colon > start && colon + 3 < end && bytes[colon] === COLON &&
    bytes[colon + 1] === SLASH && bytes[colon + 2] === SLASH;
  if (!isAbsolute) return NOWHERE;
  const authority = colon + 3;
  let authorityEnd = authority;
  while (authorityEnd < end && !endsAuthority(bytes[authorityEnd])) authorityEnd++;
  let host = authorityEnd;
  while (host > authority && bytes[host - 1] !== AT) host--;
  return readAuthority(bytes, host, authorityEnd, found);
}

function readAuthority(bytes: Uint8Array, start: number, end: number, found: FoundName): number {
  found.length = readHost(bytes, start, end, found.bytes);
  return found.length > 0 ? IN_TARGET : NOWHERE;
}

/** Tells whether the bytes at `at` are these. The caller knows that so many are there. */
function holds(bytes: Uint8Array, at: number, wanted: readonly number[]): boolean {
  for (let i = 0; i < wanted.length; i++) {
    if (bytes[at + i] !== wanted[i]) return false;
  }
  return true;
}

function isOfScheme(byte: number): boolean {
  const isLetter = isCapital(byte) || byte >= 0x61 && byte <= 0x7a;
  return isLetter || isDigit(byte) || byte === PLUS || byte === HYPHEN || byte === DOT;
}

function endsAuthority(byte: number): boolean {
  return byte === SLASH || byte === QUESTION || byte === HASH;
}

function isCapital(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
