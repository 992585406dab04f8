/**
 * tproxy nc in the router, and Debian's netcat-openbsd around it.
 * @module
 */
import type { Lab } from "../lab.ts";
import type { Namespace, StartOptions } from "../namespace.ts";
import type { Outcome, Program, RunOptions } from "../program.ts";
import { tproxyCommand } from "../proxy/proxy.ts";

/** OpenBSD's netcat, not the traditional one that may be called nc. */
export const NETCAT = "nc.openbsd";

/** An address that nobody has: 0xDEADBEEF and 0xCAFE of the kernel's page, and one of IPv6. */
export const FOREIGN = {
  4: { address: "222.173.190.239", port: 51966 },
  6: { address: "2001:db8:dead::beef", port: 51966 },
} as const;

/** The words of a `tproxy nc`. */
export function ncCommand(args: string): string[] {
  return [...tproxyCommand(), "nc", ...args.split(" ")];
}

/** Runs it in the router to its end, whatever that is. */
export function runNc(lab: Lab, args: string, options: RunOptions = {}): Promise<Outcome> {
  return lab.router.run(ncCommand(args), { mayFail: true, ...options });
}

/** Starts it in the router. */
export function startNc(lab: Lab, args: string, options: StartOptions = {}): Promise<Program> {
  return lab.router.start(ncCommand(args), options);
}

/** Starts netcat-openbsd. */
export function startNetcat(
  namespace: Namespace,
  args: string,
  options: StartOptions = {},
): Promise<Program> {
  return namespace.start([NETCAT, ...args.split(" ")], options);
}
