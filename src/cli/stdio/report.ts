/**
 * Errors, as commands say them.
 * @module
 */
import { ConfigError } from "../../config/error.ts";
import { OperationError } from "../../net/error.ts";
import type { Env } from "../env.ts";

/** Says an error on stderr, and returns the exit code that is its own. */
export function report(env: Env, error: unknown): number {
  if (error instanceof ConfigError) {
    const count = error.problems.length;
    env.stderr(`${error.message}\n`);
    if (count > 1) env.stderr(`tproxy: ${count} errors in ${error.file}\n`);
    return error.usage ? 2 : 1;
  }
  if (error instanceof OperationError) {
    env.stderr(`tproxy: ${error.message}\n`);
    return error.usage ? 2 : error.unanswered ? 3 : 1;
  }
  // A defect of ours: whoever reports it needs the whole trace.
  const trace = error instanceof Error ? error.stack ?? error.message : String(error);
  env.stderr(`tproxy: Unexpected error, please report it: ${trace}\n`);
  return 1;
}
