/**
 * The commands of a step, and their time limit.
 * @module
 */
import type { Step } from "./step.ts";

/** A step's time limit: kills what runs when it is over. */
export class Limit {
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

/** Starts a command of a step; its output is shown as it comes. */
export function start(step: Step, args: readonly string[]) {
  const child = spawn(step, [...step.argv, ...args], "inherit");
  return { child, ended: child.status.then(({ success }) => success) };
}

/** Starts a command of a step; its output is shown in one piece at its end. */
export function startQuiet(step: Step, args: readonly string[]) {
  // One stream, so that errors stand where they came.
  const child = spawn(step, ["sh", "-c", 'exec "$@" 2>&1', "sh", ...step.argv, ...args], "piped");
  return { child, ended: child.output().then(({ success, stdout }) => (writeAll(stdout), success)) };
}

function spawn({ env }: Step, [command, ...args]: readonly string[], stdout: "inherit" | "piped") {
  const options = { args, stdin: "null", stdout, stderr: "inherit" } as const;
  return new Deno.Command(command, env === undefined ? options : { ...options, env }).spawn();
}

/** Writes all of `bytes` to the standard output. */
export function writeAll(bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += Deno.stdout.writeSync(bytes.subarray(written));
}
