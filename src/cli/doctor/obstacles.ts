/**
 * Obstacles of an install, in the words of doctor.
 * @module
 */
import type { LoadedConfig } from "../../config/load.ts";
import { diagnoseMachine } from "../../doctor/diagnose.ts";
import type { Finding } from "../../doctor/finding.ts";
import { OperationError } from "../../net/error.ts";
import type { Env } from "../env.ts";
import { prepareDiagnosis } from "./diagnosis.ts";

/** Finds all that blocks. Throws an OperationError where that cannot be known. */
export async function findObstacles(env: Env, loaded: LoadedConfig): Promise<Finding[]> {
  return (await diagnoseMachine(prepareDiagnosis(env, loaded))).filter(({ blocks }) => blocks);
}

/** Warns of all that blocks. The install stands: the administrator may mend it before he starts a proxy. */
export async function warnOfObstacles(env: Env, loaded: LoadedConfig): Promise<void> {
  try {
    env.stderr(describeObstacles(await findObstacles(env, loaded)));
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    env.stderr(`tproxy: warning: whether something is in the way is not known: ${error.message}\n`);
  }
}

/** The words; empty where nothing blocks. Pure. */
export function describeObstacles(blocking: readonly Finding[]): string {
  if (blocking.length === 0) return "";
  const lines = blocking.map(({ what, cause, remedy }) =>
    `tproxy: warning: in the way: ${what}: ${cause}${remedy === "" ? "" : `\n  ${remedy}`}\n`
  );
  return `${lines.join("")}tproxy: warning: clients do not get through a proxy until that is mended; ` +
    '"tproxy doctor" looks again\n';
}
