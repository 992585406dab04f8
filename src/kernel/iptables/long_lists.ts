/**
 * Warnings for an administrator who chooses iptables. Pure.
 * @module
 */
import type { PlannedSet } from "../plan/rules/set.ts";

/**
 * Measured: a packet takes 5 to 8 ns for each network of a list, which iptables looks at one after another.
 */
const LONG_LIST = 1000;

/** Writes one sentence for each set that is long for iptables, which has no sets. */
export function warnLongLists(sets: readonly PlannedSet[]): string[] {
  return sets.filter(({ elements }) => elements.length > LONG_LIST).map(({ reason, elements }) =>
    `${reason}: iptables compares a new connection, and every datagram, with ${elements.length} networks one after ` +
    `another, about ${
      Math.round(elements.length / 150)
    } µs; nf_tables (kernel.backend: netlink) looks them up at once`
  );
}
