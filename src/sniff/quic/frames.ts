/**
 * Frames of Initial packets (RFC 9000, 12.4 and 19). Pure.
 * @module
 */
import type { CryptoStream } from "./crypto_stream.ts";
import { readVarint, varintSize } from "./varint.ts";

const PADDING = 0x00;
const PING = 0x01;
const ACK = 0x02;
const ACK_ECN = 0x03;
const CRYPTO = 0x06;

/** Largest, delay, number of ranges, first range. */
const ACK_FIELDS = 4;
const ECN_FIELDS = 3;

/**
 * Takes the CRYPTO frames among `bytes[start, end)` into the stream. False for any frame after which no hello
 * will come: that no Initial may have, that is broken, that closes the connection.
 */
export function takeFrames(bytes: Uint8Array, start: number, end: number, stream: CryptoStream): boolean {
  let at = start;
  while (at >= 0 && at < end) {
    const type = bytes[at++];
    switch (type) {
      case PADDING:
      case PING:
        break;
      case ACK:
      case ACK_ECN:
        at = skipAck(bytes, at, end, type === ACK_ECN);
        break;
      case CRYPTO:
        at = takeCrypto(bytes, at, end, stream);
        break;
      default:
        return false;
    }
  }
  return at === end;
}

/** Returns the begin of the next frame, -1 where this one is no good. */
function takeCrypto(bytes: Uint8Array, start: number, end: number, stream: CryptoStream): number {
  const offset = readVarint(bytes, start, end);
  if (offset < 0) return -1;
  const lengthAt = start + varintSize(bytes[start]);
  const length = readVarint(bytes, lengthAt, end);
  if (length < 0) return -1;
  const data = lengthAt + varintSize(bytes[lengthAt]);
  if (data + length > end) return -1;
  return stream.take(offset, bytes, data, length) ? data + length : -1;
}

function skipAck(bytes: Uint8Array, start: number, end: number, hasEcn: boolean): number {
  let fields = ACK_FIELDS + (hasEcn ? ECN_FIELDS : 0);
  let at = start;
  for (let i = 0; i < fields; i++) {
    const value = readVarint(bytes, at, end);
    if (value < 0) return -1;
    // Each further range is a gap and a length.
    if (i === 2) fields += 2 * value;
    at += varintSize(bytes[at]);
  }
  return at;
}
