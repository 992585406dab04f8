/**
 * The outcome of a reload, as whoever asked for it is told. Pure.
 * @module
 */
import { ConfigError, formatProblem } from "../../config/error.ts";
import { OperationError } from "../../net/error.ts";

/** A reload that has ended. */
export type ReloadOutcome =
  | {
    readonly state: "adopted";
    /** The number of the config in force now. */
    readonly generation: number;
    /** Its origin. */
    readonly config: string;
    /** Keys, rules and files that differ from before; none: nothing has changed. */
    readonly changed: readonly string[];
    /** The difference in words, a line each: `timeouts.connect: 10s → 5s`. */
    readonly difference: readonly string[];
    /** Features that the config asks for in vain, a line each. */
    readonly warnings: readonly string[];
  }
  | {
    /** The config is at fault, the kernel or the machine is, or the proxy is about to end. */
    readonly state: "bad-config" | "failed" | "ending";
    /** The number of the config in force still. */
    readonly generation: number;
    /** Reasons, a line each. */
    readonly reasons: readonly string[];
  };

/** Reasons of a refusal. */
export interface Refusal {
  readonly state: "bad-config" | "failed";
  readonly reasons: readonly string[];
}

/**
 * Judges an error as `tproxy check` prints it: a line for each problem. A defect of this program ends no
 * connection either.
 */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof ConfigError) {
    const reasons = error.problems.map((problem) => formatProblem(error.file, problem));
    return { state: "bad-config", reasons };
  }
  if (error instanceof OperationError) return { state: "failed", reasons: [error.message] };
  const reason = error instanceof Error ? error.stack ?? error.message : String(error);
  return { state: "failed", reasons: [reason] };
}
