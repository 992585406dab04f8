/**
 * The complaint about a command that there is not.
 * @module
 */
import { nearest } from "../../config/schema/nearest.ts";
import type { Env } from "../env.ts";

/** Says that there is no such command, and which one may be meant. Returns the exit code, 2. */
export function refuseUnknown(env: Env, name: string, names: readonly string[]): number {
  const shown = JSON.stringify(name);
  const near = name.startsWith("-") ? undefined : nearest(name, names);
  const hint = near === undefined ? "" : `, did you mean ${near}?`;
  const what = name.startsWith("-") ? "option" : "command";
  env.stderr(`tproxy: Unknown ${what} ${shown}${hint}\nTry: tproxy help\n`);
  return 2;
}
