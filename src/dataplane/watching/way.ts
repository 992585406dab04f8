/**
 * The ways in which packets are held, as one: what may become of a held segment. Pure.
 * @module
 */
import type { Segment } from "./segment.ts";

/** A worker's way. All give 0 or -errno. */
export interface Way {
  /** Sends the segment on; more of its stream is held. */
  pass(segment: Segment): number;
  /** Sends the segment on; from now on the kernel alone forwards its stream. */
  release(segment: Segment): number;
  /** Has the kernel tell the client that its connection is reset. */
  refuse(segment: Segment): number;
  /** Lets the segment vanish: its client sends it again. */
  drop(segment: Segment): number;
  /** Resets the connection at its server, which waits for the byte with the number `next`. */
  resetServer(segment: Segment, next: number): number;
}
