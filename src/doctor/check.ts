/**
 * The shape of a check. Pure.
 *
 * ```
 * Machine ── read() ──► facts ── judge() ──► findings
 * ```
 * @module
 */
import type { Finding } from "./finding.ts";
import type { DiagnosedMachine } from "./machine/machine.ts";
import type { Situation } from "./situation.ts";

/**
 * A check: one file of checks/, listed in checks/list.ts. `Readable` is the part of a machine that it reads.
 */
export interface Check<Facts, Readable = DiagnosedMachine> {
  /** Its subject, in lower case with hyphens. Ids of findings are their own: a check may have several. */
  readonly id: string;
  /** Set where it works without /proc; another check would misread a machine that has none. */
  readonly withoutProcfs?: true;
  /** Set where it concerns alone what is brought to sockets of this machine, by policy routing. */
  readonly ofBrought?: true;
  /** Reads the machine; nothing is judged here. */
  read(machine: Readable, situation: Situation): Facts | Promise<Facts>;
  /** Judges what was read. Pure. */
  judge(facts: Facts, situation: Situation): Finding[];
}
