/**
 * TLS records at the begin of a stream, and the ClientHello that they carry, in one or in many. Pure.
 * @module
 */
import { type FoundName, NONE, TLS } from "../found.ts";
import { CLIENT_HELLO, HELLO_HEADER, helloLength, readClientHello } from "./hello.ts";

/** Content type of a record. */
export const HANDSHAKE_RECORD = 0x16;
const MAJOR_VERSION = 3;
const RECORD_HEADER = 5;
const LONGEST_RECORD = 16384;
/** Bytes of the stream that are read at most. */
export const TLS_LIMIT = 16384;

/** The hello, where it lies in several records. */
const joined = new Uint8Array(TLS_LIMIT);

/**
 * Reads the server name of the stream's first ClientHello; see readStream. Waits for the whole hello: what a
 * second name or an encrypted hello makes of the first is known at its end.
 */
export function readTlsHello(bytes: Uint8Array, length: number, found: FoundName): number {
  found.clear(TLS);
  const result = readWhole(bytes, Math.min(length, TLS_LIMIT), found);
  return result > TLS_LIMIT ? NONE : result;
}

/** Reads a hello that the first record holds to its end, where it lies. */
function readWhole(bytes: Uint8Array, length: number, found: FoundName): number {
  if (length < RECORD_HEADER + HELLO_HEADER || isNoRecord(bytes, 0, length)) {
    return join(bytes, length, found);
  }
  const hello = helloLength(bytes, RECORD_HEADER);
  if (bytes[RECORD_HEADER] !== CLIENT_HELLO || hello > recordSize(bytes, 0)) {
    return join(bytes, length, found);
  }
  const end = RECORD_HEADER + hello;
  return end > length ? end : readClientHello(bytes, RECORD_HEADER, end, found);
}

/** Joins the parts of a hello from its records, and reads it. */
function join(bytes: Uint8Array, length: number, found: FoundName): number {
  let have = 0;
  // The header of the hello tells how long the hello is.
  let wanted = HELLO_HEADER;
  for (let at = 0;;) {
    if (isNoRecord(bytes, at, length)) return NONE;
    const start = at + RECORD_HEADER;
    if (start > length) return start + wanted - have;
    const end = start + recordSize(bytes, at);
    for (let from = start; from < Math.min(end, length) && have < wanted; from++) {
      joined[have++] = bytes[from];
      if (have === HELLO_HEADER) wanted = helloLength(joined, 0);
    }
    if (have > 0 && joined[0] !== CLIENT_HELLO) return NONE;
    if (have === wanted) return readClientHello(joined, 0, have, found);
    if (end > length) {
      const missing = wanted - have;
      return length + missing + (missing > end - length ? RECORD_HEADER : 0);
    }
    at = end;
  }
}

/** Tells whether the part of a record's header that is there cannot be one of a handshake. */
function isNoRecord(bytes: Uint8Array, at: number, length: number): boolean {
  if (at < length && bytes[at] !== HANDSHAKE_RECORD) return true;
  if (at + 1 < length && bytes[at + 1] !== MAJOR_VERSION) return true;
  if (at + 4 >= length) return false;
  const size = recordSize(bytes, at);
  return size === 0 || size > LONGEST_RECORD;
}

function recordSize(bytes: Uint8Array, at: number): number {
  return bytes[at + 3] << 8 | bytes[at + 4];
}
