/**
 * Runs one step, shows its output as it comes, and judges it.
 * @module
 */
import { runSideBySide } from "./lanes.ts";
import type { Step } from "./step.ts";
import { addTally, type Failure, judgeRun, readFailures, type Tally } from "./tally.ts";

const REPORTS = ".cache/junit";

/** Result of a step. */
export interface StepResult {
  readonly tally: Tally;
  /** The tests that failed, where the step counts tests. */
  readonly failures: readonly Failure[];
}

/** Runs a step to its end or its time limit. */
export async function runStep(step: Step): Promise<StepResult> {
  const limit = new Limit(step.minutes);
  try {
    if (step.countsTests !== true) {
      const succeeded = await limit.succeeds(start(step, []));
      return { tally: { passed: succeeded ? 1 : 0, failed: succeeded ? 0 : 1, skipped: 0 }, failures: [] };
    }
    Deno.mkdirSync(REPORTS, { recursive: true });
    if (step.sideBySide === undefined) return await runTests(step, limit);
    return sum(
      step.sideBySide,
      await runSideBySide(step.sideBySide, (file) => runTests(step, limit, file), () => limit.isOver),
    );
  } finally {
    limit.end();
  }
}

/** Runs the tests of a step, or of one of its files, whose output is shown in one piece at its end. */
async function runTests(step: Step, limit: Limit, file?: string): Promise<StepResult> {
  const report = `${REPORTS}/${(file ?? "all").replaceAll(/[^\w]+/g, "-")}.xml`;
  removeQuietly(report);
  const args = [`--junit-path=${report}`, ...file === undefined ? [] : [file]];
  const succeeded = file === undefined
    ? await limit.succeeds(start(step, args))
    : await limit.succeeds(startQuiet(step, args));
  const junit = readQuietly(report);
  return { tally: judgeRun({ succeeded, junit }), failures: readFailures(junit ?? "") };
}

/** Adds the results of a step's files; those that were not begun count as one failure. */
function sum(files: readonly string[], results: readonly StepResult[]): StepResult {
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  for (const result of results) addTally(tally, result.tally);
  const failures = results.flatMap((result) => result.failures);
  const missing = files.length - results.length;
  if (missing > 0) {
    tally.failed++;
    failures.push({ name: "the step's time", text: `was over before ${missing} files of tests had begun` });
  }
  return { tally, failures };
}

/** A step's time limit: kills what runs when it is over. */
class Limit {
  readonly #running = new Set<Deno.ChildProcess>();
  readonly #timer: ReturnType<typeof setTimeout>;
  #isOver = false;

  constructor(minutes: number) {
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      for (const child of this.#running) child.kill("SIGKILL");
    }, minutes * 60_000);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  async succeeds(started: { child: Deno.ChildProcess; ended: Promise<boolean> }): Promise<boolean> {
    this.#running.add(started.child);
    try {
      return await started.ended;
    } finally {
      this.#running.delete(started.child);
    }
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

function start(step: Step, args: readonly string[]) {
  const child = spawn(step, [...step.argv, ...args], "inherit");
  return { child, ended: child.status.then(({ success }) => success) };
}

function startQuiet(step: Step, args: readonly string[]) {
  // One stream, so that errors stand where they came.
  const child = spawn(step, ["sh", "-c", 'exec "$@" 2>&1', "sh", ...step.argv, ...args], "piped");
  return { child, ended: child.output().then(({ success, stdout }) => (writeAll(stdout), success)) };
}

function spawn({ env }: Step, [command, ...args]: readonly string[], stdout: "inherit" | "piped") {
  const options = { args, stdin: "null", stdout, stderr: "inherit" } as const;
  return new Deno.Command(command, env === undefined ? options : { ...options, env }).spawn();
}

function writeAll(bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += Deno.stdout.writeSync(bytes.subarray(written));
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
