/**
 * Netcat's messages, all of them on stderr.
 * @module
 */
import type { OperationError } from "../../net/error.ts";
import type { Env } from "../env.ts";

/** Writes to stderr. */
export interface Voice {
  /** A line in netcat's own words. */
  say(line: string): void;
  warn(line: string): void;
  complain(error: OperationError): void;
}

/** The voice of a command. */
export function speakTo(env: Env): Voice {
  return {
    say: (line) => env.stderr(`${line}\n`),
    warn: (line) => env.stderr(`tproxy: warning: ${line}\n`),
    complain: (error) => env.stderr(`tproxy: ${error.message}\n`),
  };
}
