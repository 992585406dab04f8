/**
 * Inputs of several parts, and places at which one is cut.
 * @module
 */
import { Random } from "../../../laboratory/proxy/policies.ts";

/** Parts one behind the other, each behind its length in 16 bits. */
export function joinParts(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + 2 + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined[at] = part.length >> 8;
    joined[at + 1] = part.length & 0xff;
    joined.set(part, at + 2);
    at += 2 + part.length;
  }
  return joined;
}

/** Takes them apart; the last may be shorter than it says. */
export function splitParts(joined: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at + 2 <= joined.length;) {
    const end = at + 2 + (joined[at] << 8 | joined[at + 1]);
    parts.push(joined.slice(at + 2, end));
    at = end;
  }
  return parts;
}

/** Up to six places in ascending order, always the same for the same input. */
export function bordersOf(input: Uint8Array): number[] {
  const random = chanceOf(input);
  return Array.from({ length: random.below(7) }, () => random.below(input.length + 1)).sort((a, b) => a - b);
}

/** Chance that is always the same for the same input. */
export function chanceOf(input: Uint8Array): Random {
  let seed = input.length;
  for (let at = 0; at < input.length && at < 256; at++) seed = Math.imul(seed, 31) + input[at] | 0;
  return new Random(seed);
}
