/**
 * Programs of the laboratory: run one and take its output, or start one that goes on in the background.
 * @module
 */
import { delay, until } from "./machine/wait.ts";

/** Exit code and output of a finished program. */
export interface Outcome {
  /** Exit code; 128 + number for a signal. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of a run. */
export interface RunOptions {
  /** Text for its standard input; none: /dev/null. */
  readonly input?: string;
  /** A non-zero exit is an answer, not a failure. */
  readonly mayFail?: boolean;
  /** After this many milliseconds it is killed; default 20,000. */
  readonly timeoutMs?: number;
  readonly env?: Record<string, string>;
}

/** Runs a program to its end; throws with its output when it fails. */
export async function runProgram(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = new Deno.Command(argv[0], {
    args: argv.slice(1),
    stdin: options.input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    ...(options.env === undefined ? {} : { env: options.env }),
  }).spawn();
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killQuietly(child, "SIGKILL");
  }, options.timeoutMs ?? 20_000);
  try {
    const feeding = options.input === undefined ? undefined : feed(child, options.input);
    const output = await child.output();
    await feeding;
    const decoder = new TextDecoder();
    const outcome = {
      code: output.code,
      stdout: decoder.decode(output.stdout),
      stderr: decoder.decode(output.stderr),
    };
    if (timedOut) throw new Error(`Timed out: ${argv.join(" ")}\n${outcome.stdout}${outcome.stderr}`);
    if (outcome.code !== 0 && options.mayFail !== true) {
      throw new Error(`Exit ${outcome.code}: ${argv.join(" ")}\n${outcome.stdout}${outcome.stderr}`);
    }
    return outcome;
  } finally {
    clearTimeout(timer);
  }
}

/** A program in the background: its output so far, its input, its end. */
export class Program {
  readonly argv: readonly string[];
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  #inputOpen = true;
  #status: Deno.CommandStatus | undefined;
  #stdout = "";
  #stderr = "";

  constructor(argv: readonly string[], options: { env?: Record<string, string> } = {}) {
    this.argv = argv;
    this.#child = new Deno.Command(argv[0], {
      args: argv.slice(1),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      ...options,
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#input.closed.catch(() => {});
    this.#reading = Promise.all([
      collect(this.#child.stdout, (text) => this.#stdout += text),
      collect(this.#child.stderr, (text) => this.#stderr += text),
      this.#child.status.then((status) => this.#status = status),
    ]);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Its standard output so far. */
  get stdout(): string {
    return this.#stdout;
  }

  /** Its standard error so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Both outputs, for a search or a report. */
  get output(): string {
    return this.#stdout + this.#stderr;
  }

  get running(): boolean {
    return this.#status === undefined;
  }

  /** Waits until the output holds the text or matches the pattern. */
  async waitForOutput(wanted: string | RegExp, options: { timeoutMs?: number } = {}): Promise<void> {
    const found = () => typeof wanted === "string" ? this.output.includes(wanted) : wanted.test(this.output);
    await until(() => found() || !this.running, { what: `output ${wanted} of ${this}`, ...options })
      .catch((error) => {
        throw new Error(`${error.message}; it wrote:\n${this.output}`);
      });
    if (!found()) await delay(50);
    if (!found()) throw new Error(`${this} ended without the output ${wanted}; it wrote:\n${this.output}`);
  }

  /** Waits for its end and gives the exit code (128 + number for a signal). */
  async waitForExit(options: { timeoutMs?: number } = {}): Promise<number> {
    await until(() => !this.running, { what: `end of ${this}`, ...options });
    await this.#reading;
    return this.#status!.code;
  }

  /** Writes to its standard input. */
  async write(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
  }

  /** End of file on its standard input. */
  async closeInput(): Promise<void> {
    if (!this.#inputOpen) return;
    this.#inputOpen = false;
    await this.#input.close().catch(() => {});
  }

  signal(name: Deno.Signal): void {
    killQuietly(this.#child, name);
  }

  /** Ends it: the signal, and SIGKILL if it does not heed that within two seconds. Safe to call again. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<void> {
    this.signal(signal);
    await this.closeInput();
    await until(() => !this.running, { what: "end", timeoutMs: 2_000 }).catch(() => this.signal("SIGKILL"));
    await this.#reading;
  }

  toString(): string {
    return `"${this.argv.join(" ")}" (pid ${this.pid})`;
  }
}

async function collect(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) take(text);
}

async function feed(child: Deno.ChildProcess, text: string): Promise<void> {
  const writer = child.stdin.getWriter();
  // A program that ends before it has read everything is judged by its exit code, not by our EPIPE.
  await writer.write(new TextEncoder().encode(text)).catch(() => {});
  await writer.close().catch(() => {});
}

function killQuietly(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (error) {
    if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
  }
}
