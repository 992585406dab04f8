/**
 * The limit of open descriptors: what the proxy needs at least, and the way to more. Pure.
 * @module
 */
import { FEWEST_DESCRIPTORS } from "../dataplane/sizing/limits.ts";
import { OperationError } from "../net/error.ts";

/** The way to more. */
export const DESCRIPTORS_HINT =
  'Raise the hard limit: LimitNOFILE=65536 in a systemd unit, "ulimit -Hn 65536" as root in a shell';

/**
 * Refuses to start with a hard limit that is used up before the first connection: whatever came last would
 * fail, with a reason that is none.
 */
export function requireDescriptors(hard: number): void {
  if (hard >= FEWEST_DESCRIPTORS) return;
  throw new OperationError({
    operation: "start",
    object: "the proxy",
    reason: `it takes at least ${FEWEST_DESCRIPTORS} descriptors, and may have ${hard} (RLIMIT_NOFILE)`,
    hint: DESCRIPTORS_HINT,
  });
}
