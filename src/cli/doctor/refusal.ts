/**
 * Reasons for which an install was refused, in the words of doctor.
 * @module
 */
import type { LoadedConfig } from "../../config/load.ts";
import { diagnoseKernel } from "../../doctor/diagnose.ts";
import type { Finding } from "../../doctor/finding.ts";
import { OperationError } from "../../net/error.ts";
import type { Env } from "../env.ts";
import { prepareProbing } from "./probing.ts";

const UNCHANGED = "Nothing was changed";

/**
 * The error of an install that has failed; where a part of the kernel is missing, it says which, and what to
 * do.
 */
export async function explainRefusal(error: unknown, loaded: LoadedConfig, env: Env): Promise<unknown> {
  if (!(error instanceof OperationError) || error.usage || error.code === "EPERM") return error;
  const findings = await diagnoseKernel(prepareProbing(env, loaded));
  return describeRefusal(error, findings) ?? error;
}

/** The same from what doctor has found; undefined where it has found nothing that is missing. Pure. */
export function describeRefusal(
  error: OperationError,
  findings: readonly Finding[],
): OperationError | undefined {
  const missing = findings.filter(({ state, blocks }) => state === "missing" && blocks);
  if (missing.length === 0) return undefined;
  return new OperationError({
    operation: "install",
    object: "",
    reason: missing.map(({ cause }) => cause).join(". "),
    hint: [...new Set(missing.map(({ remedy }) => remedy))].join(". "),
    outcome: error.outcome || UNCHANGED,
  }, { cause: error });
}
