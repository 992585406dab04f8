/**
 * Runs one step, shows its output as it comes, and judges it.
 * @module
 */
import { Limit, start, startQuiet, writeAll } from "./command.ts";
import { runSideBySide } from "./lanes.ts";
import { chooseFailed, forgive } from "./second_try.ts";
import type { Step } from "./step.ts";
import { addTally, type Failure, judgeRun, readFailures, type Tally } from "./tally.ts";

const REPORTS = ".cache/junit";

/** Result of a step. */
export interface StepResult {
  readonly tally: Tally;
  /** The tests that failed, where the step counts tests. */
  readonly failures: readonly Failure[];
  /** Those that failed at first and have passed alone. */
  readonly forgiven: readonly Failure[];
}

/** The results of one file of tests, or of all of a step's. */
interface TestRun {
  readonly file?: string;
  readonly tally: Tally;
  readonly failures: readonly Failure[];
}

/** Runs a step to its end or its time limit. */
export async function runStep(step: Step): Promise<StepResult> {
  const limit = new Limit(step.minutes);
  try {
    if (step.countsTests !== true) {
      const succeeded = await limit.succeeds(start(step, []));
      const tally = { passed: succeeded ? 1 : 0, failed: succeeded ? 0 : 1, skipped: 0 };
      return { tally, failures: [], forgiven: [] };
    }
    Deno.mkdirSync(REPORTS, { recursive: true });
    const runs = step.sideBySide === undefined
      ? [await runTests(step, limit)]
      : await runSideBySide(step.sideBySide, (file) => runTests(step, limit, file), () => limit.isOver);
    const result = sum(step.sideBySide?.length ?? 1, runs);
    return step.secondTry === true ? await tryAgain(step, limit, runs, result) : result;
  } finally {
    limit.end();
  }
}

/** Runs the failed tests once more, alone, where a few have failed. */
async function tryAgain(
  step: Step,
  limit: Limit,
  runs: readonly TestRun[],
  result: StepResult,
): Promise<StepResult> {
  const filter = chooseFailed(result);
  if (filter === undefined || limit.isOver) return result;
  const files = runs.flatMap(({ file, failures }) => file !== undefined && failures.length > 0 ? [file] : []);
  const names = result.failures.map(({ name }) => name).join("; ");
  writeAll(new TextEncoder().encode(`── once more, alone: ${names}\n`));
  const again = await runTests({ ...step, argv: [...step.argv, ...files, "--filter", filter] }, limit);
  if (again.tally.failed > 0) return result;
  return { tally: forgive(result.tally), failures: [], forgiven: result.failures };
}

/** Runs the tests of a step, or of one of its files, whose output is shown in one piece at its end. */
async function runTests(step: Step, limit: Limit, file?: string): Promise<TestRun> {
  const report = `${REPORTS}/${(file ?? "all").replaceAll(/[^\w]+/g, "-")}.xml`;
  removeQuietly(report);
  const args = [`--junit-path=${report}`, ...file === undefined ? [] : [file]];
  const succeeded = file === undefined
    ? await limit.succeeds(start(step, args))
    : await limit.succeeds(startQuiet(step, args));
  const junit = readQuietly(report);
  const result = { tally: judgeRun({ succeeded, junit }), failures: readFailures(junit ?? "") };
  return file === undefined ? result : { ...result, file };
}

/** Adds the runs of a step; those of `planned` that were not begun count as one failure. */
function sum(planned: number, runs: readonly TestRun[]): StepResult {
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  for (const run of runs) addTally(tally, run.tally);
  const failures = runs.flatMap((run) => run.failures);
  const missing = planned - runs.length;
  if (missing > 0) {
    tally.failed++;
    failures.push({ name: "the step's time", text: `was over before ${missing} files of tests had begun` });
  }
  return { tally, failures, forgiven: [] };
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
