/**
 * The stream of a client's CRYPTO frames, whose parts come in any order. Pure.
 * @module
 */
import { type FoundName, MORE, NONE } from "../found.ts";
import { CLIENT_HELLO, HELLO_HEADER, helloLength, readClientHello } from "../tls/hello.ts";

/** Bytes of the stream that are kept at most. */
const LIMIT = 16384;

/** The first bytes of a stream. */
export class CryptoStream {
  readonly #bytes = new Uint8Array(LIMIT);
  /** A bit for each byte that has come. */
  readonly #map = new Uint8Array(LIMIT / 8);
  /** Bytes from the begin on without a gap. */
  #whole = 0;

  /** Forgets the stream. */
  reset(): void {
    this.#map.fill(0);
    this.#whole = 0;
  }

  /** Takes a part; false if it goes too far, or contradicts an earlier one. */
  take(offset: number, bytes: Uint8Array, start: number, length: number): boolean {
    if (offset + length > LIMIT) return false;
    for (let i = 0; i < length; i++) {
      const at = offset + i;
      if (!this.#has(at)) {
        this.#bytes[at] = bytes[start + i];
        this.#map[at >> 3] |= 1 << (at & 7);
      } else if (this.#bytes[at] !== bytes[start + i]) {
        return false;
      }
    }
    while (this.#whole < LIMIT && this.#has(this.#whole)) this.#whole++;
    return true;
  }

  /** Reads the name of the stream's ClientHello: NAME, NONE, or MORE while it is not whole. */
  read(found: FoundName): number {
    if (this.#whole > 0 && this.#bytes[0] !== CLIENT_HELLO) return NONE;
    if (this.#whole < HELLO_HEADER) return MORE;
    const length = helloLength(this.#bytes, 0);
    if (length > LIMIT) return NONE;
    if (this.#whole < length) return MORE;
    return readClientHello(this.#bytes, 0, length, found);
  }

  #has(at: number): boolean {
    return (this.#map[at >> 3] >> (at & 7) & 1) === 1;
  }
}
