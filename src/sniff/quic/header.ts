/**
 * Long headers of QUIC packets (RFC 9000, 17.2), as far as they are in clear. Pure.
 * @module
 */
import { findVersion, type QuicVersion, TYPE_BITS } from "./version.ts";
import { readVarint, varintSize } from "./varint.ts";

/** Header form and fixed bit. */
const LONG = 0xc0;
/** Bytes before the first connection id: the first byte, the version, the id's length. */
const BEFORE_ID = 6;
const LONGEST_ID = 20;
/** The shortest that a client may choose for its first packets. */
const SHORTEST_CHOSEN_ID = 8;
/** The shortest datagram in which a server takes an Initial. */
const SHORTEST_DATAGRAM = 1200;

/** Tells whether a datagram may be the first of a client of QUIC version 1 or 2. */
export function looksLikeInitial(bytes: Uint8Array, length: number): boolean {
  if (length < SHORTEST_DATAGRAM || (bytes[0] & LONG) !== LONG) return false;
  const version = findVersion(bytes, 1);
  const id = bytes[BEFORE_ID - 1];
  return version !== null && (bytes[0] & TYPE_BITS) === version.initial &&
    id >= SHORTEST_CHOSEN_ID && id <= LONGEST_ID;
}

/** The header of one packet of a datagram. */
export class LongHeader {
  version: QuicVersion | null = null;
  isInitial = false;
  /** The first byte of the packet. */
  start = 0;
  /** The connection id of the receiver. */
  idStart = 0;
  idLength = 0;
  /** The packet number, which is protected. */
  number = 0;
  /** The begin of the next packet. */
  end = 0;

  /** Reads the packet at `start`; false if its end cannot be known. */
  read(bytes: Uint8Array, start: number, length: number): boolean {
    if (start + BEFORE_ID > length || (bytes[start] & LONG) !== LONG) return false;
    this.version = findVersion(bytes, start + 1);
    if (this.version === null) return false;
    // A Retry would have no length, but comes from servers alone.
    this.isInitial = (bytes[start] & TYPE_BITS) === this.version.initial;
    this.start = start;
    this.idStart = start + BEFORE_ID;
    this.idLength = bytes[start + BEFORE_ID - 1];
    const sourceId = this.idStart + this.idLength;
    if (this.idLength > LONGEST_ID || sourceId >= length || bytes[sourceId] > LONGEST_ID) return false;
    const afterIds = sourceId + 1 + bytes[sourceId];
    return this.#readLength(bytes, this.isInitial ? skipToken(bytes, afterIds, length) : afterIds, length);
  }

  #readLength(bytes: Uint8Array, at: number, length: number): boolean {
    const size = readVarint(bytes, at, length);
    if (size < 0) return false;
    this.number = at + varintSize(bytes[at]);
    this.end = this.number + size;
    return this.end <= length;
  }
}

/** The place behind a token; never before `length` where the token does not end there. */
function skipToken(bytes: Uint8Array, at: number, length: number): number {
  const size = readVarint(bytes, at, length);
  return size < 0 ? length : at + varintSize(bytes[at]) + size;
}
