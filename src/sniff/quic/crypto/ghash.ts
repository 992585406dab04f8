/**
 * GHASH, the hash of GCM (NIST SP 800-38D, 6.4), four bits at a time. Pure.
 * @module
 */

const NIBBLES = 16;

/** Sums at the begin of a word, for the four bits that a shift has pushed out at the end. */
const REDUCED = reductions();

function reductions(): Int32Array {
  return Int32Array.from({ length: NIBBLES }, (_, bits) => {
    let sum = 0;
    for (let i = 0; i < 4; i++) if (bits >> i & 1) sum ^= 0xe1000000 >>> (3 - i);
    return sum;
  });
}

/** A hash under a key, and its state. */
export class Ghash {
  /** The key times each nibble: four words for each. */
  readonly #table = new Int32Array(4 * NIBBLES);
  /** The sum, as four big-endian words. */
  readonly sum = new Int32Array(4);

  /** Takes the key, four big-endian words. */
  set(key: Int32Array): void {
    const t = this.#table;
    let a = key[0];
    let b = key[1];
    let c = key[2];
    let d = key[3];
    for (let nibble = 8; nibble > 0; nibble >>= 1) {
      const at = 4 * nibble;
      t[at] = a, t[at + 1] = b, t[at + 2] = c, t[at + 3] = d;
      const carry = d & 1 ? 0xe1000000 : 0;
      d = d >>> 1 | c << 31;
      c = c >>> 1 | b << 31;
      b = b >>> 1 | a << 31;
      a = a >>> 1 ^ carry;
    }
    for (let high = 2; high < NIBBLES; high <<= 1) {
      for (let low = 1; low < high; low++) {
        for (let i = 0; i < 4; i++) t[4 * (high + low) + i] = t[4 * high + i] ^ t[4 * low + i];
      }
    }
  }

  /** Begins again. */
  start(): void {
    this.sum.fill(0);
  }

  /** Takes `bytes[start, end)`, filled up with zeros to whole blocks. */
  update(bytes: Uint8Array, start: number, end: number): void {
    const sum = this.sum;
    for (let at = start; at < end; at += 16) {
      const last = Math.min(at + 16, end);
      for (let from = at; from < last; from++) {
        const i = from - at;
        sum[i >> 2] ^= bytes[from] << (24 - 8 * (i & 3));
      }
      this.#multiply();
    }
  }

  /** Ends with the lengths of the two parts, in bytes. */
  finish(first: number, second: number): void {
    this.sum[1] ^= first * 8;
    this.sum[3] ^= second * 8;
    this.#multiply();
  }

  #multiply(): void {
    const sum = this.sum;
    const t = this.#table;
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let i = 3; i >= 0; i--) {
      const word = sum[i];
      for (let shift = 0; shift < 32; shift += 4) {
        const carry = REDUCED[d & 15];
        d = d >>> 4 | c << 28;
        c = c >>> 4 | b << 28;
        b = b >>> 4 | a << 28;
        a = a >>> 4 ^ carry;
        const at = (word >>> shift & 15) << 2;
        a ^= t[at];
        b ^= t[at + 1];
        c ^= t[at + 2];
        d ^= t[at + 3];
      }
    }
    sum[0] = a, sum[1] = b, sum[2] = c, sum[3] = d;
  }
}
