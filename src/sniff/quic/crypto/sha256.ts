/**
 * SHA-256 (FIPS 180-4), one block at a time. Pure.
 *
 * The keys of QUIC's Initial packets are no secret: nothing here need hide what it computes with.
 * @module
 */

/** Words of a state and of a digest. */
export const STATE_WORDS = 8;
/** Bytes of a block. */
export const BLOCK_BYTES = 64;

const ROUNDS = 64;

/** The state before the first block. */
const START = fractions(STATE_WORDS, 1 / 2);
const ROUND_CONSTANTS = fractions(ROUNDS, 1 / 3);
const schedule = new Int32Array(ROUNDS);

/** The first 32 bits of the fractions of the first primes' roots. */
function fractions(count: number, power: number): Int32Array {
  const words = new Int32Array(count);
  let found = 0;
  for (let candidate = 2; found < count; candidate++) {
    let isPrime = true;
    for (let divisor = 2; divisor * divisor <= candidate; divisor++) isPrime &&= candidate % divisor !== 0;
    if (!isPrime) continue;
    const root = candidate ** power;
    words[found++] = (root - Math.floor(root)) * 2 ** 32 | 0;
  }
  return words;
}

/** Sets the state to that before the first block. */
export function startHash(state: Int32Array): void {
  for (let i = 0; i < STATE_WORDS; i++) state[i] = START[i];
}

/** Takes a block of 16 big-endian words into the state. */
export function hashBlock(state: Int32Array, block: Int32Array): void {
  const w = schedule;
  for (let i = 0; i < 16; i++) w[i] = block[i];
  for (let i = 16; i < ROUNDS; i++) {
    const a = w[i - 15];
    const b = w[i - 2];
    const s0 = (a >>> 7 | a << 25) ^ (a >>> 18 | a << 14) ^ a >>> 3;
    const s1 = (b >>> 17 | b << 15) ^ (b >>> 19 | b << 13) ^ b >>> 10;
    w[i] = w[i - 16] + s0 + w[i - 7] + s1 | 0;
  }
  let a = state[0];
  let b = state[1];
  let c = state[2];
  let d = state[3];
  let e = state[4];
  let f = state[5];
  let g = state[6];
  let h = state[7];
  for (let i = 0; i < ROUNDS; i++) {
    const s1 = (e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7);
    const t1 = h + s1 + (e & f ^ ~e & g) + ROUND_CONSTANTS[i] + w[i] | 0;
    const s0 = (a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10);
    const t2 = s0 + (a & b ^ a & c ^ b & c) | 0;
    h = g;
    g = f;
    f = e;
    e = d + t1 | 0;
    d = c;
    c = b;
    b = a;
    a = t1 + t2 | 0;
  }
  state[0] = state[0] + a | 0;
  state[1] = state[1] + b | 0;
  state[2] = state[2] + c | 0;
  state[3] = state[3] + d | 0;
  state[4] = state[4] + e | 0;
  state[5] = state[5] + f | 0;
  state[6] = state[6] + g | 0;
  state[7] = state[7] + h | 0;
}
