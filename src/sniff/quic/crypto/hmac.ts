/**
 * HMAC-SHA256 (RFC 2104) of short messages, and HKDF (RFC 5869) on it: all that QUIC's Initial keys need.
 * Pure.
 * @module
 */
import { BLOCK_BYTES, hashBlock, startHash, STATE_WORDS } from "./sha256.ts";

/** Bytes of a digest. */
export const DIGEST_BYTES = STATE_WORDS * 4;
/** Bytes that one block holds beside its end mark and its length. */
export const LONGEST_MESSAGE = BLOCK_BYTES - 9;

const INNER = 0x36363636;
const OUTER = 0x5c5c5c5c;

const block = new Int32Array(BLOCK_BYTES / 4);
const state = new Int32Array(STATE_WORDS);

/** A key for many messages. */
export class HmacKey {
  readonly #inner = new Int32Array(STATE_WORDS);
  readonly #outer = new Int32Array(STATE_WORDS);

  /** Takes a key of at most a block. */
  set(key: Uint8Array, length: number): void {
    fill(key, length);
    for (let i = 0; i < block.length; i++) block[i] ^= INNER;
    startHash(this.#inner);
    hashBlock(this.#inner, block);
    for (let i = 0; i < block.length; i++) block[i] ^= INNER ^ OUTER;
    startHash(this.#outer);
    hashBlock(this.#outer, block);
  }

  /** Writes the code of a message of at most LONGEST_MESSAGE bytes to `digest`. */
  sign(message: Uint8Array, length: number, digest: Uint8Array): void {
    for (let i = 0; i < STATE_WORDS; i++) state[i] = this.#inner[i];
    fill(message, length);
    end(length);
    hashBlock(state, block);
    block.fill(0);
    for (let i = 0; i < STATE_WORDS; i++) {
      block[i] = state[i];
      state[i] = this.#outer[i];
    }
    end(DIGEST_BYTES);
    hashBlock(state, block);
    for (let i = 0; i < DIGEST_BYTES; i++) digest[i] = state[i >> 2] >>> (24 - 8 * (i & 3));
  }
}

/** Writes bytes, and zeros after them, to the block. */
function fill(bytes: Uint8Array, length: number): void {
  block.fill(0);
  for (let i = 0; i < length; i++) block[i >> 2] |= bytes[i] << (24 - 8 * (i & 3));
}

/** Ends the block as the message's second and last one: the first was the key. */
function end(length: number): void {
  block[length >> 2] |= 0x80 << (24 - 8 * (length & 3));
  block[15] = (BLOCK_BYTES + length) * 8;
}
