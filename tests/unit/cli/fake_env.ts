import type { Env } from "../../../src/cli/env.ts";
import { filesUnder } from "../../../src/cli/files.ts";
import { main } from "../../../src/cli/main.ts";
import { loadAllCommands, TABLE } from "../../../src/cli/table.ts";

// Here, because the C library that some of them open would count as leak of the test that loads them first.
await loadAllCommands();

/** Exit code and output of a run of the program. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A root below which there is nothing. */
const NOWHERE = "/proc/self/nowhere";

/** Runs the program in this process, with files that exist only here. */
export async function run(
  args: readonly string[],
  { files = {}, ...more }:
    & { readonly files?: Readonly<Record<string, string>> }
    & Partial<Omit<Env, "files">> = {},
): Promise<Outcome> {
  let stdout = "";
  let stderr = "";
  const env: Env = {
    args,
    stdout: (text) => void (stdout += text),
    stderr: (text) => void (stderr += text),
    stdoutIsTerminal: false,
    columns: 80,
    stderrIsJournal: false,
    ask: () => undefined,
    getenv: () => undefined,
    readTextFile(path) {
      if (Object.hasOwn(files, path)) return files[path];
      throw Object.assign(new Deno.errors.NotFound("no such file"), { code: "ENOENT" });
    },
    readStdin: () => "",
    files: filesUnder(NOWHERE),
    runProgram: () => Promise.resolve({ code: 127, output: "no programs here" }),
    cwd: () => "/",
    now: () => new Date(0),
    self: { command: "/nowhere", args: [] },
    ...more,
  };
  return { code: await main(env, TABLE), stdout, stderr };
}
