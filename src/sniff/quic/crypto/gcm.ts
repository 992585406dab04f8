/**
 * AES-128-GCM (NIST SP 800-38D), opening alone. Pure.
 * @module
 */
import { AES_BYTES, AesKey } from "./aes.ts";
import { Ghash } from "./ghash.ts";

/** Bytes of the tag at the end. */
export const TAG_BYTES = 16;
/** Bytes of a nonce. */
export const NONCE_BYTES = 12;

const counter = new Int32Array(4);
const stream = new Int32Array(4);

/** A key that opens packets. */
export class GcmKey {
  readonly #aes = new AesKey();
  readonly #ghash = new Ghash();

  /** Takes a key of 16 bytes. */
  set(key: Uint8Array): void {
    this.#aes.set(key);
    counter.fill(0);
    this.#aes.encipher(counter, stream);
    this.#ghash.set(stream);
  }

  /**
   * Proves and deciphers in place. `bytes` hold the authenticated part from `start` on, at `text` the
   * ciphered one, and before `end` the tag.
   *
   * @returns false if the tag is another one; then nothing has been deciphered
   */
  open(nonce: Uint8Array, bytes: Uint8Array, start: number, text: number, end: number): boolean {
    const textEnd = end - TAG_BYTES;
    const { sum } = this.#ghash;
    this.#ghash.start();
    this.#ghash.update(bytes, start, text);
    this.#ghash.update(bytes, text, textEnd);
    this.#ghash.finish(text - start, textEnd - text);
    setCounter(nonce);
    this.#aes.encipher(counter, stream);
    for (let i = 0; i < 4; i++) {
      if ((sum[i] ^ stream[i]) !== word(bytes, textEnd + 4 * i)) return false;
    }
    this.#decipher(bytes, text, textEnd);
    return true;
  }

  #decipher(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; at += AES_BYTES) {
      counter[3]++;
      this.#aes.encipher(counter, stream);
      const last = Math.min(at + AES_BYTES, end);
      for (let to = at; to < last; to++) {
        const i = to - at;
        bytes[to] ^= stream[i >> 2] >>> (24 - 8 * (i & 3));
      }
    }
  }
}

function setCounter(nonce: Uint8Array): void {
  for (let i = 0; i < 3; i++) counter[i] = word(nonce, 4 * i);
  counter[3] = 1;
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3];
}
