/**
 * Keys of a client's Initial packets, and how such a packet is opened (RFC 9001, 5). Pure.
 * @module
 */
import { AES_BYTES, AesKey } from "./crypto/aes.ts";
import { GcmKey, NONCE_BYTES } from "./crypto/gcm.ts";
import { DIGEST_BYTES, HmacKey } from "./crypto/hmac.ts";
import type { LongHeader } from "./header.ts";
import type { QuicVersion } from "./version.ts";

/** The place of the sample, from the packet number on: as if that had all its bytes. */
const SAMPLE = 4;

/** The packet could not be opened: not with these keys. */
export const UNREADABLE = -1;

/** The last packet that was opened, its header included. */
export const opened = new Uint8Array(16384);

const hmac = new HmacKey();
const secret = new Uint8Array(DIGEST_BYTES);
const id = new Uint8Array(20);
const nonce = new Uint8Array(NONCE_BYTES);
const mask = new Int32Array(AES_BYTES / 4);

/** The keys of one client. */
export class InitialKeys {
  readonly #packet = new GcmKey();
  readonly #header = new AesKey();
  readonly #iv = new Uint8Array(NONCE_BYTES);
  /** The largest packet number so far. */
  #largest = -1;

  /** Derives the keys from the connection id of the client's first packet, which has up to 20 bytes. */
  derive(version: QuicVersion, bytes: Uint8Array, idStart: number, idLength: number): void {
    for (let i = 0; i < idLength; i++) id[i] = bytes[idStart + i];
    hmac.set(version.salt, version.salt.length);
    hmac.sign(id, idLength, secret);
    hmac.set(secret, secret.length);
    expand(version.clientInfo);
    hmac.set(secret, secret.length);
    expand(version.keyInfo);
    this.#packet.set(secret);
    expand(version.headerInfo);
    this.#header.set(secret);
    expand(version.ivInfo);
    for (let i = 0; i < NONCE_BYTES; i++) this.#iv[i] = secret[i];
    this.#largest = -1;
  }

  /**
   * Proves and deciphers a packet into `opened`, which begins as the packet does.
   *
   * @returns the place of the first frame in `opened`; the last one ends a tag before the packet. UNREADABLE
   * where it is not of this client
   */
  open(bytes: Uint8Array, header: LongHeader): number {
    const { start } = header;
    const end = header.end - start;
    const number = header.number - start;
    if (end > opened.length || number + SAMPLE + AES_BYTES > end) return UNREADABLE;
    for (let i = 0; i < end; i++) opened[i] = bytes[start + i];
    const frames = this.#unmask(number);
    const packetNumber = this.#packetNumber(number, frames);
    let rest = packetNumber;
    for (let i = NONCE_BYTES - 1; i >= 0; i--) {
      nonce[i] = this.#iv[i] ^ rest % 256;
      rest = Math.floor(rest / 256);
    }
    if (!this.#packet.open(nonce, opened, 0, frames, end)) return UNREADABLE;
    this.#largest = Math.max(this.#largest, packetNumber);
    return frames;
  }

  /** Takes the protection off the header (RFC 9001, 5.4); returns where the packet number ends. */
  #unmask(number: number): number {
    for (let i = 0; i < mask.length; i++) {
      const at = number + SAMPLE + 4 * i;
      mask[i] = opened[at] << 24 | opened[at + 1] << 16 | opened[at + 2] << 8 | opened[at + 3];
    }
    this.#header.encipher(mask, mask);
    opened[0] ^= mask[0] >>> 24 & 0x0f;
    const end = number + (opened[0] & 0x03) + 1;
    for (let at = number; at < end; at++) {
      const i = at - number + 1;
      opened[at] ^= mask[i >> 2] >>> (24 - 8 * (i & 3));
    }
    return end;
  }

  /** Completes the packet number, which is the nearest to the next one that ends so (RFC 9000, A.3). */
  #packetNumber(start: number, end: number): number {
    let truncated = 0;
    for (let at = start; at < end; at++) truncated = truncated * 256 + opened[at];
    const window = 256 ** (end - start);
    const expected = this.#largest + 1;
    const candidate = expected - expected % window + truncated;
    if (candidate <= expected - window / 2) return candidate + window;
    return candidate > expected + window / 2 && candidate >= window ? candidate - window : candidate;
  }
}

/** Writes what comes of the key and a label to `secret`. */
function expand(info: Uint8Array): void {
  hmac.sign(info, info.length, secret);
}
