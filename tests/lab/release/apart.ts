/**
 * A script in namespaces of its own: mounts, network and processes end with it.
 * @module
 */
import { type Outcome, runProgram } from "../../laboratory/program.ts";

/** Runs a shell script as process 1; it ends at the first command that fails. */
export function runApart(
  script: string,
  options: { env: Record<string, string>; timeoutMs: number },
): Promise<Outcome> {
  const namespaces = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--propagation", "private"];
  return runProgram(["unshare", ...namespaces, "sh", "-ec", script], options);
}
