/**
 * The question that watching asks about a stream. Pure.
 * @module
 */
import type { Segment } from "./segment.ts";

/** The stream goes on, for good. */
export const GOES_ON = 0;
/** The stream ends, on both sides. */
export const ENDS = -1;

/** A judge of streams. */
export interface Judge {
  /**
   * Judges a stream by its first `length` bytes. GOES_ON, ENDS, or how many bytes it must have before there
   * is more to say. `segment`: the last that has come of it. `isWhole`: no more can be kept of it.
   */
  judge(bytes: Uint8Array, length: number, segment: Segment, isWhole: boolean): number;
}
