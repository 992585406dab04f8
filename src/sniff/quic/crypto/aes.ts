/**
 * AES-128 (FIPS 197), enciphering alone: header protection, counters and GCM need no more. Pure.
 * @module
 */

/** Bytes of a key and of a block. */
export const AES_BYTES = 16;

const ROUNDS = 10;
const KEY_WORDS = 4 * (ROUNDS + 1);

const SUBSTITUTES = substitutes();
/** A substituted byte, mixed into a column: 2, 1, 1 and 3 times. */
const MIXED = mixed();

function double(byte: number): number {
  return byte << 1 ^ (byte & 0x80 ? 0x11b : 0);
}

/** Each byte's inverse in the field of 256, its bits mixed. */
function substitutes(): Uint8Array {
  const table = new Uint8Array(256);
  // Powers of 3 go through all but 0; those of its inverse, 0xf6, stand beside them.
  let power = 1;
  let inverse = 1;
  for (let i = 0; i < 255; i++) {
    const x = inverse | inverse << 8;
    table[power] = 0x63 ^ x ^ x >> 4 ^ x >> 5 ^ x >> 6 ^ x >> 7;
    power ^= double(power);
    inverse ^= inverse << 1;
    inverse ^= inverse << 2;
    inverse ^= inverse << 4;
    inverse = (inverse ^ (inverse & 0x80 ? 0x09 : 0)) & 0xff;
  }
  table[0] = 0x63;
  return table;
}

function mixed(): Int32Array {
  return Int32Array.from(SUBSTITUTES, (s) => double(s) << 24 | s << 16 | s << 8 | double(s) ^ s);
}

/** An expanded key. */
export class AesKey {
  readonly #words = new Int32Array(KEY_WORDS);

  /** Takes a key of 16 bytes. */
  set(key: Uint8Array): void {
    const w = this.#words;
    for (let i = 0; i < 4; i++) {
      w[i] = key[4 * i] << 24 | key[4 * i + 1] << 16 | key[4 * i + 2] << 8 | key[4 * i + 3];
    }
    let constant = 1;
    for (let i = 4; i < KEY_WORDS; i++) {
      let word = w[i - 1];
      if ((i & 3) === 0) {
        word = substitute(word << 8 | word >>> 24) ^ constant << 24;
        constant = double(constant);
      }
      w[i] = w[i - 4] ^ word;
    }
  }

  /** Enciphers the block of four big-endian words `from` to `to`, which may be the same. */
  encipher(from: Int32Array, to: Int32Array): void {
    const w = this.#words;
    const m = MIXED;
    let a = from[0] ^ w[0];
    let b = from[1] ^ w[1];
    let c = from[2] ^ w[2];
    let d = from[3] ^ w[3];
    for (let at = 4; at < KEY_WORDS - 4; at += 4) {
      const e = column(m[a >>> 24], m[b >>> 16 & 255], m[c >>> 8 & 255], m[d & 255]) ^ w[at];
      const f = column(m[b >>> 24], m[c >>> 16 & 255], m[d >>> 8 & 255], m[a & 255]) ^ w[at + 1];
      const g = column(m[c >>> 24], m[d >>> 16 & 255], m[a >>> 8 & 255], m[b & 255]) ^ w[at + 2];
      d = column(m[d >>> 24], m[a >>> 16 & 255], m[b >>> 8 & 255], m[c & 255]) ^ w[at + 3];
      a = e, b = f, c = g;
    }
    to[0] = lastColumn(a, b, c, d) ^ w[KEY_WORDS - 4];
    to[1] = lastColumn(b, c, d, a) ^ w[KEY_WORDS - 3];
    to[2] = lastColumn(c, d, a, b) ^ w[KEY_WORDS - 2];
    to[3] = lastColumn(d, a, b, c) ^ w[KEY_WORDS - 1];
  }
}

/** Adds the mixed bytes of a column, each turned to its row. */
function column(a: number, b: number, c: number, d: number): number {
  return a ^ (b >>> 8 | b << 24) ^ (c >>> 16 | c << 16) ^ (d >>> 24 | d << 8);
}

function lastColumn(a: number, b: number, c: number, d: number): number {
  const s = SUBSTITUTES;
  return s[a >>> 24] << 24 | s[b >>> 16 & 255] << 16 | s[c >>> 8 & 255] << 8 | s[d & 255];
}

function substitute(word: number): number {
  return lastColumn(word, word, word, word);
}
