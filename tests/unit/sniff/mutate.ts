/**
 * Bytes that are almost right.
 * @module
 */
import type { Random } from "../../laboratory/proxy/policies.ts";
import { join } from "./recordings.ts";

/** Bytes at which lengths and types turn. */
const TURNS = [
  0,
  1,
  2,
  3,
  4,
  5,
  9,
  10,
  13,
  20,
  21,
  0x16,
  0x20,
  0x3a,
  0x3f,
  0x40,
  0x7f,
  0x80,
  0xc0,
  0xfe,
  0xff,
];

/** Changes of a place in some bytes. */
const CHANGES: readonly ((bytes: Uint8Array, at: number, random: Random) => Uint8Array)[] = [
  (bytes, at, random) => bytes.with(at, bytes[at] ^ 1 << random.below(8)),
  (bytes, at, random) => bytes.with(at, random.one(TURNS)),
  (bytes, at, random) => bytes.with(at, bytes[at] + random.below(9) - 4),
  (bytes, at, random) => join(bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(30))),
  (bytes, at, random) =>
    join(bytes.subarray(0, at), randomBytes(random, 1 + random.below(30)), bytes.subarray(at)),
  (bytes, at, random) => {
    const from = random.below(bytes.length);
    return join(bytes.subarray(0, at), bytes.subarray(from, from + random.below(200)), bytes.subarray(at));
  },
  (bytes, at) => bytes.subarray(0, at),
  (bytes, at) => bytes.subarray(at),
];

/** Bytes of any value. */
export function randomBytes(random: Random, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, () => random.below(256));
}

/** Changes bytes in up to five places, the first ones more often: that is where headers are. */
export function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  let changed = bytes;
  for (let left = 1 + random.below(5); left > 0 && changed.length > 0; left--) {
    const limit = random.below(3) === 0 ? Math.min(changed.length, 64) : changed.length;
    changed = random.one(CHANGES)(changed, random.below(limit), random);
  }
  return changed;
}
