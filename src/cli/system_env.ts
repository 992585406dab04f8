/**
 * The machine that commands see: terminal, files, programs, the environment.
 * @module
 */
import type { Env } from "./env.ts";
import { filesUnder } from "./files.ts";
import { isOwnDescriptor } from "../config/files/plain.ts";
import { readDescriptor, readStdin } from "./stdio/input.ts";
import { stderrIsJournal, writeStderr, writeStdout } from "./stdio/output.ts";
import { ask } from "./stdio/ask.ts";
import { runProgram } from "./program.ts";

/** The machine. `program` is the source of the executable, which is run anew where another is wanted. */
export function systemEnv(program: string): Env {
  const terminal = Deno.stdout.isTerminal();
  const self = Deno.env.get("TPROXY_SELF");
  return {
    args: Deno.args,
    stdout: writeStdout,
    stderr: writeStderr,
    stdoutIsTerminal: terminal,
    columns: terminal ? Deno.consoleSize().columns : 80,
    stderrIsJournal: stderrIsJournal(),
    ask,
    getenv: (name) => Deno.env.get(name),
    readStdin,
    readTextFile: (path) => isOwnDescriptor(path) ? readDescriptor(path) : Deno.readTextFileSync(path),
    files: filesUnder("/"),
    runProgram,
    cwd: () => Deno.cwd(),
    now: () => new Date(),
    self: self !== undefined
      ? { command: self, args: [] }
      : Deno.build.standalone
      ? { command: Deno.execPath(), args: [] }
      : {
        command: Deno.execPath(),
        args: ["run", "-A", "--no-prompt", "--quiet", new URL(program).pathname],
      },
  };
}
