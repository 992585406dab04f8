/**
 * The ClientHello of TLS 1.0 to 1.3 (RFC 8446, 4.1.2), as TLS and QUIC carry it, and the name in it
 * (RFC 6066, 3). Pure.
 * @module
 */
import { canonicalize } from "../../names/canonical.ts";
import { type FoundName, NAME, NONE } from "../found.ts";

/** Type of the handshake message. */
export const CLIENT_HELLO = 1;
/** Bytes of a handshake message's type and length. */
export const HELLO_HEADER = 4;

const MAJOR_VERSION = 3;
const VERSION_AND_RANDOM = 2 + 32;
const LONGEST_SESSION_ID = 32;

const SERVER_NAME = 0;
const HOST_NAME = 0;
/** draft-ietf-tls-esni, before and after its 8th version. */
const ENCRYPTED_SERVER_NAME = 0xffce;
const ENCRYPTED_CLIENT_HELLO = 0xfe0d;

/** Reads how long the handshake message at `at` is, with its header. */
export function helloLength(bytes: Uint8Array, at: number): number {
  return HELLO_HEADER + (bytes[at + 1] << 16 | u16(bytes, at + 2));
}

/**
 * Reads the name in the ClientHello `bytes[start, end)`, and whether an encrypted hello is there.
 *
 * @returns NAME, or NONE also for a hello that a server would refuse
 */
export function readClientHello(bytes: Uint8Array, start: number, end: number, found: FoundName): number {
  const at = findExtensions(bytes, start + HELLO_HEADER, end);
  const result = at < 0 ? NONE : readExtensions(bytes, at, end, found);
  if (result !== NAME) found.length = 0;
  return result;
}

/** Finds the first extension; -1 where there is none. */
function findExtensions(bytes: Uint8Array, start: number, end: number): number {
  let at = start + VERSION_AND_RANDOM;
  if (at >= end || bytes[start] !== MAJOR_VERSION || bytes[at] > LONGEST_SESSION_ID) return -1;
  at += 1 + bytes[at];
  if (at + 2 > end) return -1;
  const suites = u16(bytes, at);
  at += 2 + suites;
  if (suites === 0 || (suites & 1) !== 0 || at >= end) return -1;
  const compressions = bytes[at];
  at += 1 + compressions;
  if (compressions === 0 || at + 2 > end) return -1;
  return at + 2 + u16(bytes, at) === end ? at + 2 : -1;
}

function readExtensions(bytes: Uint8Array, start: number, end: number, found: FoundName): number {
  let at = start;
  while (at < end) {
    if (at + 4 > end) return NONE;
    const type = u16(bytes, at);
    const data = at + 4;
    at = data + u16(bytes, at + 2);
    if (at > end) return NONE;
    if (type === ENCRYPTED_CLIENT_HELLO || type === ENCRYPTED_SERVER_NAME) found.encrypted = true;
    if (type !== SERVER_NAME) continue;
    if (readServerNames(bytes, data, at, found) === NONE) return NONE;
  }
  return found.length > 0 ? NAME : NONE;
}

function readServerNames(bytes: Uint8Array, start: number, end: number, found: FoundName): number {
  if (start + 2 > end || start + 2 + u16(bytes, start) !== end) return NONE;
  let at = start + 2;
  while (at < end) {
    if (at + 3 > end) return NONE;
    const type = bytes[at];
    const name = at + 3;
    at = name + u16(bytes, at + 1);
    if (at > end) return NONE;
    if (type !== HOST_NAME) continue;
    // Two names, in one list or in two: no server takes them, and which one counts nobody knows.
    if (found.length > 0) return NONE;
    found.length = canonicalize(bytes, name, at, found.bytes);
    if (found.length === 0) return NONE;
  }
  return found.length > 0 ? NAME : NONE;
}

function u16(bytes: Uint8Array, at: number): number {
  return bytes[at] << 8 | bytes[at + 1];
}
