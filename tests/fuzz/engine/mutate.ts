/**
 * Bytes that are almost right.
 * @module
 */
import type { Random } from "../../laboratory/proxy/policies.ts";

/** Bytes at which lengths and types turn. */
const TURNS = [0, 1, 2, 3, 4, 5, 9, 10, 13, 20, 21, 22, 32, 0x3a, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xfe, 0xff];
/** Lengths and counts that lie. */
const LIES = [0, 1, 3, 4, 5, 15, 16, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000];

/** The material of changes besides the bytes themselves. */
export interface Material {
  readonly random: Random;
  /** Bytes of the longest result. */
  readonly most: number;
  /** Pieces that mean something. */
  readonly words?: readonly Uint8Array[];
  /** Other inputs, parts of which may be taken. */
  readonly others?: readonly Uint8Array[];
}

type Change = (bytes: Uint8Array, at: number, material: Material) => Uint8Array;

/** Changes of a place in some bytes. */
const CHANGES: readonly Change[] = [
  (bytes, at, { random }) => bytes.with(at, bytes[at] ^ 1 << random.below(8)),
  (bytes, at, { random }) => bytes.with(at, random.one(TURNS)),
  (bytes, at, { random }) => bytes.with(at, bytes[at] + random.below(9) - 4),
  (bytes, at, { random }) => join(bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(30))),
  (bytes, at, { random }) => insert(bytes, at, randomBytes(random, 1 + random.below(30))),
  (bytes, at, { random }) => {
    const from = random.below(bytes.length);
    return insert(bytes, at, bytes.subarray(from, from + random.below(200)));
  },
  (bytes, at) => bytes.subarray(0, at),
  (bytes, at) => bytes.subarray(at),
  lie,
  splice,
  repeat,
  (bytes, at, { random, words }) => words === undefined ? bytes : insert(bytes, at, random.one(words)),
  (bytes, at, { random, words }) => {
    if (words === undefined) return bytes;
    const word = random.one(words);
    return join(bytes.subarray(0, at), word, bytes.subarray(at + word.length));
  },
];

/** Writes a number of 16 or 32 bits, in either order: mostly where numbers stand. */
function lie(bytes: Uint8Array, at: number, { random }: Material): Uint8Array {
  const size = random.one([2, 4]);
  const place = random.below(4) === 0 ? at : at & ~(size - 1);
  if (place + size > bytes.length) return bytes;
  const value = random.below(3) === 0 ? bytes.length - random.below(9) : random.one(LIES);
  const changed = bytes.slice();
  const view = new DataView(changed.buffer);
  const little = random.below(2) === 0;
  if (size === 2) view.setUint16(place, value & 0xffff, little);
  else view.setUint32(place, value >>> 0, little);
  return changed;
}

/** Goes on with what another input has at some place. */
function splice(bytes: Uint8Array, at: number, { random, others = [] }: Material): Uint8Array {
  if (others.length === 0) return bytes;
  const other = random.one(others);
  const from = random.below(other.length + 1);
  const part = other.subarray(from, random.below(2) === 0 ? undefined : from + random.below(300));
  return join(bytes.subarray(0, at), part, random.below(2) === 0 ? bytes.subarray(at) : []);
}

/** Repeats a part, often many times. */
function repeat(bytes: Uint8Array, at: number, { random, most }: Material): Uint8Array {
  const part = bytes.subarray(at, at + 1 + random.below(random.one([4, 40, 400])));
  const room = Math.max(0, Math.floor((most - bytes.length) / part.length));
  const times = Math.min(room, random.below(random.one([3, 30, 3000])));
  const repeated = new Uint8Array(part.length * times);
  for (let i = 0; i < times; i++) repeated.set(part, i * part.length);
  return insert(bytes, at, repeated);
}

function insert(bytes: Uint8Array, at: number, part: Uint8Array): Uint8Array {
  return join(bytes.subarray(0, at), part, bytes.subarray(at));
}

/** Bytes one after the other. */
export function join(...parts: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Bytes of any value. */
export function randomBytes(random: Random, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, () => random.below(256));
}

/** Changes bytes in up to five places, the first ones more often: that is where headers are. */
export function mutate(bytes: Uint8Array, material: Material): Uint8Array {
  const { random, most } = material;
  let changed = bytes;
  for (let left = 1 + random.below(5); left > 0; left--) {
    if (changed.length === 0) changed = randomBytes(random, 1 + random.below(8));
    const limit = random.below(3) === 0 ? Math.min(changed.length, 64) : changed.length;
    changed = random.one(CHANGES)(changed, random.below(limit), material);
  }
  return changed.subarray(0, most);
}
