/**
 * A reader of bytes from outside, as the fuzzer drives it.
 * @module
 */
import { OperationError } from "../../src/net/error.ts";
import type { Random } from "../laboratory/proxy/policies.ts";

/** A parser. */
export interface Parser {
  readonly name: string;
  /** Inputs to begin with: recorded ones, where there are any. */
  readonly samples: () => readonly Uint8Array[];
  /** Pieces that mean something to it. */
  readonly words?: readonly string[];
  /** Bytes of the longest input. */
  readonly most?: number;
  /** Milliseconds of the processor that an input may take; 50 where it says nothing. */
  readonly longestMs?: number;
  /** Makes an input that byte by byte changes would hardly come to. */
  invent?(random: Random): Uint8Array;
  /**
   * Reads an input, asserts what was promised of it, and returns a few words for what it was: an input with
   * new words is kept, and changed further. Throws where a promise is broken.
   */
  read(input: Uint8Array): string;
}

/**
 * Reads, or gives the words of a refusal that the reader has declared: an OperationError, or a RangeError in
 * its own words. The RangeErrors of DataView and of typed arrays are none of these.
 */
export function orRefusal(read: () => string): string {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof OperationError) && !isWorded(error)) throw error;
    return kindOf((error as Error).message);
  }
}

function isWorded(error: unknown): boolean {
  return error instanceof RangeError && error.message.startsWith("Cannot ");
}

/** A message without the numbers and quotations in it. */
export function kindOf(message: string): string {
  return message.split("\n", 1)[0].replaceAll(/".*"/gs, '""').replaceAll(/\d+/g, "0").slice(0, 120);
}
