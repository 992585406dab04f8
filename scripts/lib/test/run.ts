/**
 * Runs one step, shows its output as it comes, and judges it.
 * @module
 */
import type { Step } from "./steps.ts";
import { type Failure, judgeRun, readFailures, type Tally } from "./tally.ts";

const JUNIT = ".cache/junit.xml";

/** Result of a step. */
export interface StepResult {
  readonly tally: Tally;
  /** The tests that failed, where the step counts tests. */
  readonly failures: readonly Failure[];
}

/** Runs a step to its end or its time limit. */
export async function runStep(step: Step): Promise<StepResult> {
  const junit = step.countsTests === true ? [`--junit-path=${JUNIT}`] : [];
  removeQuietly(JUNIT);
  const succeeded = await succeeds([...step.argv, ...junit], step);
  if (step.countsTests !== true) {
    return { tally: { passed: succeeded ? 1 : 0, failed: succeeded ? 0 : 1, skipped: 0 }, failures: [] };
  }
  const report = readQuietly(JUNIT);
  return { tally: judgeRun({ succeeded, junit: report }), failures: readFailures(report ?? "") };
}

async function succeeds(argv: readonly string[], step: Step): Promise<boolean> {
  const command = new Deno.Command(argv[0], {
    args: argv.slice(1),
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
    ...(step.env === undefined ? {} : { env: step.env }),
  });
  const child = command.spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), step.minutes * 60_000);
  try {
    return (await child.status).success;
  } finally {
    clearTimeout(timer);
  }
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function readQuietly(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return undefined;
  }
}
