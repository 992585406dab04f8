/**
 * The first question to a program that may be any: it may say nothing, much, or never end.
 * @module
 */

/** Milliseconds in which it has to end: it may have to unpack itself first, on a slow router. */
const PATIENCE_MS = 120_000;
/** Bytes that are read of each output. */
const MOST_BYTES = 1 << 16;

/** Words of a program, and how it ended. */
export interface Reply {
  /** Its exit code, 0 where all is well; else in words. */
  readonly end: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program, with nothing to read, to its end, or until it has said or taken too much. Never throws. */
export async function askProgram(
  [name, ...args]: readonly string[],
  patienceMs = PATIENCE_MS,
): Promise<Reply> {
  let child: Deno.ChildProcess;
  try {
    const piped = { stdin: "null", stdout: "piped", stderr: "piped" } as const;
    child = new Deno.Command(name, { args, ...piped }).spawn();
  } catch (error) {
    return { end: error instanceof Error ? error.message : String(error), stdout: "", stderr: "" };
  }
  const outputs = [child.stdout.getReader(), child.stderr.getReader()];
  let cut: string | undefined;
  const stop = (reason: string) => {
    cut ??= reason;
    for (const output of outputs) output.cancel().catch(() => {}); // what it has started may keep them open
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
  };
  const timer = setTimeout(() => stop(`it does not end within ${patienceMs / 1000} s`), patienceMs);
  const much = () => stop("it says too much");
  const [stdout, stderr] = await Promise.all(outputs.map((output) => readSome(output, much)));
  const { code, signal } = await child.status;
  clearTimeout(timer);
  return { end: cut ?? (signal === null ? code : `it ends by ${signal}`), stdout, stderr };
}

/** Reads to the end, or until there is too much. */
async function readSome(output: ReadableStreamDefaultReader<Uint8Array>, much: () => void): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for (let piece = await output.read(); !piece.done; piece = await output.read()) {
    text += decoder.decode(piece.value, { stream: true });
    if (text.length > MOST_BYTES) much();
  }
  return text;
}
