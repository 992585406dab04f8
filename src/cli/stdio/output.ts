/**
 * Writing to stdout and stderr, whole and at once, whatever is at the other end.
 * @module
 */

/** The exit code of a program that SIGPIPE ended, which the Deno runtime ignores. */
const EXIT_SIGPIPE = 128 + 13;

/**
 * Writes to stdout. Ends the program silently when nobody reads any more: `tproxy config example | head -1`.
 */
export function writeStdout(text: string): void {
  const error = writeAll(Deno.stdout, text);
  if (error === undefined) return;
  if (error instanceof Deno.errors.BrokenPipe) Deno.exit(EXIT_SIGPIPE);
  writeStderr(`tproxy: Cannot write to stdout: ${error instanceof Error ? error.message : error}\n`);
  Deno.exit(1);
}

/** Writes to stderr. A proxy goes on when nobody reads its log. */
export function writeStderr(text: string): void {
  writeAll(Deno.stderr, text);
}

/** Returns the error that stopped it, or `undefined`. */
function writeAll(file: { writeSync(data: Uint8Array): number }, text: string): unknown {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(file.writeSync(rest));
    } catch (error) {
      if (error instanceof Deno.errors.Interrupted) continue;
      if (!(error instanceof Deno.errors.WouldBlock)) return error;
      // The other end made it non-blocking and reads slowly.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
  return undefined;
}

/**
 * Tells whether stderr is the stream that systemd opened to the journal (man systemd.exec, JOURNAL_STREAM).
 */
export function stderrIsJournal(): boolean {
  const stream = Deno.env.get("JOURNAL_STREAM");
  if (stream === undefined) return false;
  try {
    const { dev, ino } = Deno.statSync("/proc/self/fd/2");
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}
