/**
 * Tells how long a client that has sent its SYN may be silent until it is taken for gone. Pure.
 * @module
 */
import { ticks } from "../loop/wheel.ts";

/**
 * The first SYN is repeated after one second (RFC 6298), by older systems after three. The longer wait after
 * each further one is at most twice the last.
 */
const FIRST = ticks(4500);
/** The way to us, and a client that is slow. */
const SLACK = ticks(1000);

/**
 * Ticks from a SYN on. `gap`: those between the last two, 0 for the first. A client whose SYN was lost, and
 * who comes later, asks anew.
 */
export function goneAfter(gap: number): number {
  return Math.max(FIRST, 2 * gap + (gap >> 1) + SLACK);
}
