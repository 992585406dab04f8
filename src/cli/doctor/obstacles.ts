/**
 * Obstacles of an install that has just been made, in the words of doctor.
 * @module
 */
import type { LoadedConfig } from "../../config/load.ts";
import { diagnoseMachine } from "../../doctor/diagnose.ts";
import type { Finding } from "../../doctor/finding.ts";
import { OperationError } from "../../net/error.ts";
import type { Env } from "../env.ts";
import { prepareDiagnosis } from "./diagnosis.ts";

/** Warns of all that blocks. The install stands: the administrator may mend it before he starts a proxy. */
export async function warnOfObstacles(env: Env, loaded: LoadedConfig): Promise<void> {
  let findings: readonly Finding[];
  try {
    findings = await diagnoseMachine(prepareDiagnosis(env, loaded));
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    env.stderr(`tproxy: warning: whether something is in the way is not known: ${error.message}\n`);
    return;
  }
  env.stderr(describeObstacles(findings));
}

/** The words; empty where nothing blocks. Pure. */
export function describeObstacles(findings: readonly Finding[]): string {
  const blocking = findings.filter(({ blocks }) => blocks);
  if (blocking.length === 0) return "";
  const lines = blocking.map(({ what, cause, remedy }) =>
    `tproxy: warning: in the way: ${what}: ${cause}${remedy === "" ? "" : `\n  ${remedy}`}\n`
  );
  return `${lines.join("")}tproxy: warning: clients do not get through a proxy until that is mended; ` +
    '"tproxy doctor" looks again\n';
}
