/**
 * The head of an HTTP/1 request (RFC 9112) and the host that it names. Pure.
 * @module
 */
import { FoundName, HTTP, NAME, NONE } from "../found.ts";
import { readHost } from "./authority.ts";
import { MALFORMED, nextLine, textEnd, UNENDED } from "./lines.ts";
import { beginsLikeRequest, IN_TARGET, NOWHERE, readRequestLine } from "./request_line.ts";

/** Bytes of a head that are read at most. */
export const HTTP_LIMIT = 8192;

const TAB = 0x09;
const SPACE = 0x20;
const COLON = 0x3a;
/** `host`, and the bit that makes a capital small. */
const HOST = [0x68, 0x6f, 0x73, 0x74];
const SMALL = 0x20;

/** The host of a later field, which must be that of the first. */
const other = new FoundName();

/**
 * Reads the host of a stream's first request; see readStream. Only a whole head counts. The host of an
 * absolute target, or of CONNECT, comes before the field Host; two fields that differ name none.
 */
export function readHttpHead(bytes: Uint8Array, length: number, found: FoundName): number {
  found.clear(HTTP);
  const result = readHead(bytes, Math.min(length, HTTP_LIMIT), found);
  if (result !== NAME) found.length = 0;
  return result > HTTP_LIMIT ? NONE : result;
}

function readHead(bytes: Uint8Array, length: number, found: FoundName): number {
  if (!beginsLikeRequest(bytes, length)) return NONE;
  const fields = nextLine(bytes, 0, length);
  if (fields === MALFORMED) return NONE;
  if (fields === UNENDED) return length + 1;
  const where = readRequestLine(bytes, textEnd(bytes, 0, fields), found);
  return where === NOWHERE ? NONE : readFields(bytes, fields, length, where === IN_TARGET, found);
}

/** Reads the lines from `at` on to the empty one. */
function readFields(
  bytes: Uint8Array,
  at: number,
  length: number,
  isKnown: boolean,
  found: FoundName,
): number {
  let hosts = 0;
  // A line that begins with a space goes on with the field before it, where one is that may be so.
  let mayGoOn = false;
  for (;;) {
    const next = nextLine(bytes, at, length);
    if (next === MALFORMED) return NONE;
    if (next === UNENDED) return length + 1;
    const end = textEnd(bytes, at, next);
    if (end === at) return found.length > 0 ? NAME : NONE;
    if (isSpace(bytes[at])) {
      if (!mayGoOn) return NONE;
    } else {
      const colon = findColon(bytes, at, end);
      if (colon < 0) return NONE;
      const isHost = isHostField(bytes, at, colon);
      if (isHost && !isKnown && !takeHost(bytes, colon + 1, end, found, hosts++ === 0)) return NONE;
      mayGoOn = !isHost;
    }
    at = next;
  }
}

/** Finds the end of a field's name; -1 where the line is no field. */
function findColon(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end && !isSpace(bytes[at]); at++) {
    if (bytes[at] === COLON) return at > start ? at : -1;
  }
  return -1;
}

function isHostField(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== HOST.length) return false;
  for (let i = 0; i < HOST.length; i++) {
    if ((bytes[start + i] | SMALL) !== HOST[i]) return false;
  }
  return true;
}

/** Takes the first host; tells whether a later one is the same. */
function takeHost(bytes: Uint8Array, from: number, to: number, found: FoundName, isFirst: boolean): boolean {
  let start = from;
  let end = to;
  while (start < end && isSpace(bytes[start])) start++;
  while (end > start && isSpace(bytes[end - 1])) end--;
  const into = isFirst ? found : other;
  into.length = readHost(bytes, start, end, into.bytes);
  return into.length > 0 && (isFirst || isSame(found, other));
}

function isSame(a: FoundName, b: FoundName): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a.bytes[i] !== b.bytes[i]) return false;
  }
  return true;
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}
