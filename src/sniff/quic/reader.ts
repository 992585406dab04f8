/**
 * Names in the first datagrams of a QUIC client. Pure.
 * @module
 */
import { type FoundName, NONE, QUIC } from "../found.ts";
import { TAG_BYTES } from "./crypto/gcm.ts";
import { CryptoStream } from "./crypto_stream.ts";
import { takeFrames } from "./frames.ts";
import { LongHeader, looksLikeInitial } from "./header.ts";
import { InitialKeys, opened, UNREADABLE } from "./keys.ts";

/** Datagrams that a hello may take. */
const MOST_DATAGRAMS = 16;

const header = new LongHeader();

/**
 * A reader of the datagrams that one client sends one server. It has 20 KB; the caller keeps it for the next
 * flow.
 */
export class QuicReader {
  readonly #keys = new InitialKeys();
  readonly #stream = new CryptoStream();
  /** Number of the version of the first packet. */
  #version = 0;
  #datagrams = 0;
  /** The client has sent a packet that these keys open. */
  #isProved = false;

  /** Forgets the flow. */
  reset(): void {
    this.#stream.reset();
    this.#version = 0;
    this.#datagrams = 0;
    this.#isProved = false;
  }

  /**
   * Reads the next datagram of the flow. After the first, datagrams without an Initial change nothing: they
   * may be early data.
   *
   * @returns NAME, NONE, or MORE: the hello goes on in another datagram
   */
  datagram(bytes: Uint8Array, length: number, found: FoundName): number {
    found.clear(QUIC);
    if (++this.#datagrams > MOST_DATAGRAMS) return NONE;
    if (this.#datagrams === 1 && !this.#begin(bytes, length)) return NONE;
    for (let at = 0; header.read(bytes, at, length); at = header.end) {
      if (!header.isInitial || header.version?.number !== this.#version) continue;
      const frames = this.#keys.open(bytes, header);
      if (frames === UNREADABLE) continue;
      this.#isProved = true;
      const end = header.end - header.start - TAG_BYTES;
      if (!takeFrames(opened, frames, end, this.#stream)) return this.#end();
    }
    if (!this.#isProved) return this.#end();
    const result = this.#stream.read(found);
    return result === NONE ? this.#end() : result;
  }

  #begin(bytes: Uint8Array, length: number): boolean {
    if (!looksLikeInitial(bytes, length) || !header.read(bytes, 0, length)) return false;
    const { version, idStart, idLength } = header;
    if (version === null) return false;
    this.#version = version.number;
    this.#keys.derive(version, bytes, idStart, idLength);
    return true;
  }

  /** Lets nothing come of what comes later. */
  #end(): number {
    this.#datagrams = MOST_DATAGRAMS;
    return NONE;
  }
}
