/**
 * Presence of /proc. Without it nothing tells the values of sysctls, the listeners, and whether there is
 * IPv6.
 * @module
 */
import { OperationError } from "../../net/error.ts";

/** A sysctl that every kernel with IPv4 has. */
const WITNESS = "/proc/sys/net/ipv4/ip_forward";

/** Reason, in words that a finding shares. */
export const PROCFS_MISSING = {
  reason: "/proc is not mounted, or does not show /proc/sys/net",
  hint: 'Mount it: "mount -t proc proc /proc"; in a chroot or container, have it mounted there',
} as const;

/** Tells whether the sysctls of the network can be read. `readTextFile` throws Deno's errors. */
export function hasProcfs(readTextFile: (path: string) => string): boolean {
  try {
    readTextFile(WITNESS);
    return true;
  } catch {
    return false;
  }
}

/** Makes the error of a command that needs it. */
export function missingProcfs(): OperationError {
  return new OperationError({ operation: "read", object: WITNESS, ...PROCFS_MISSING });
}
