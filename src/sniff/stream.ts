/**
 * Names in the first bytes of a TCP stream. Pure.
 * @module
 */
import { type FoundName, NONE } from "./found.ts";
import { HTTP_LIMIT, readHttpHead } from "./http/head.ts";
import { HANDSHAKE_RECORD, readTlsHello, TLS_LIMIT } from "./tls/records.ts";

/** Bytes of a stream that are read at most: nobody waits for more. */
export const STREAM_LIMIT: number = Math.max(HTTP_LIMIT, TLS_LIMIT);

/**
 * Reads the name that a client names at the begin of its stream. The first byte decides the protocol, and is
 * enough where it is neither TLS nor HTTP/1.
 *
 * @param bytes begin with the first byte of the stream
 * @param length how many of them are the stream's
 * @returns NAME, NONE, or how many bytes the stream must have before there is more to say
 */
export function readStream(bytes: Uint8Array, length: number, found: FoundName): number {
  found.clear();
  if (length === 0) return 1;
  const first = bytes[0];
  if (first === HANDSHAKE_RECORD) return readTlsHello(bytes, length, found);
  if (first >= 0x41 && first <= 0x5a) return readHttpHead(bytes, length, found);
  return NONE;
}
