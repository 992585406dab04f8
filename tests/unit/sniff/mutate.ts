/**
 * Bytes that are almost right.
 * @module
 */
import type { Chance } from "./chance.ts";
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
const CHANGES: readonly ((bytes: Uint8Array, at: number, chance: Chance) => Uint8Array)[] = [
  (bytes, at, chance) => bytes.with(at, bytes[at] ^ 1 << chance.below(8)),
  (bytes, at, chance) => bytes.with(at, chance.pick(TURNS)),
  (bytes, at, chance) => bytes.with(at, bytes[at] + chance.below(9) - 4),
  (bytes, at, chance) => join(bytes.subarray(0, at), bytes.subarray(at + 1 + chance.below(30))),
  (bytes, at, chance) => join(bytes.subarray(0, at), chance.bytes(1 + chance.below(30)), bytes.subarray(at)),
  (bytes, at, chance) => {
    const from = chance.below(bytes.length);
    return join(bytes.subarray(0, at), bytes.subarray(from, from + chance.below(200)), bytes.subarray(at));
  },
  (bytes, at) => bytes.subarray(0, at),
  (bytes, at) => bytes.subarray(at),
];

/** Changes bytes in up to five places, the first ones more often: that is where headers are. */
export function mutate(bytes: Uint8Array, chance: Chance): Uint8Array {
  let changed = bytes;
  for (let left = 1 + chance.below(5); left > 0 && changed.length > 0; left--) {
    const limit = chance.below(3) === 0 ? Math.min(changed.length, 64) : changed.length;
    changed = chance.pick(CHANGES)(changed, chance.below(limit), chance);
  }
  return changed;
}
