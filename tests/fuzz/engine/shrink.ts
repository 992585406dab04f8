/**
 * Small inputs that show what a large one has shown.
 * @module
 */
import type { Parser } from "../parser.ts";
import { kindOf } from "../parser.ts";
import { join } from "./mutate.ts";
import { Crash, tryInput } from "./trial.ts";

/** Milliseconds that it may take. */
const MOST_MS = 10_000;

/** Leaves out what the crash does not need. */
export function shrink(parser: Parser, crash: Crash): Crash {
  let least = crash;
  const end = performance.now() + MOST_MS;
  const kind = kindOf(crash.message);
  const isSame = (input: Uint8Array): boolean => {
    try {
      tryInput(parser, input);
      return false;
    } catch (error) {
      if (!(error instanceof Crash) || kindOf(error.message) !== kind) return false;
      least = error;
      return true;
    }
  };
  for (let size = crash.input.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at < least.input.length && performance.now() < end;) {
      const { input } = least;
      if (!isSame(join(input.subarray(0, at), input.subarray(at + size)))) at += size;
    }
  }
  return least;
}
