/**
 * Doctor's words on a module that an error shows to be missing.
 * @module
 */
import { systemFiles } from "../../doctor/machine/files.ts";
import { explainMissing } from "../../doctor/parts/explain.ts";
import { readKernelBuild } from "../../doctor/parts/kernel_build.ts";
import { OperationError } from "../../net/error.ts";
import type { Env } from "../env.ts";

/** The same error, with why the module is missing and what to do about it. */
export async function explainMissingModule(error: OperationError, env: Env): Promise<OperationError> {
  const build = await readKernelBuild(systemFiles(env.readTextFile), Deno.osRelease());
  const { cause, remedy } = explainMissing(error.missingModule, build);
  const { operation, object, errno, reason, usage, outcome } = error;
  const hint = `${cause}. ${remedy}`;
  return new OperationError({ operation, object, errno, reason, usage, hint, outcome }, {
    cause: error,
  });
}
