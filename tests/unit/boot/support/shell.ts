/**
 * Scripts under the shells of small systems, with programs that say how they were called.
 * @module
 */
import type { BootSettings } from "../../../../src/boot/model.ts";
import { print } from "../../../laboratory/machine/print.ts";

/** Exit code and output of a program. */
export interface ShellOutcome {
  readonly code: number;
  /** Both outputs. */
  readonly output: string;
}

/** Runs a program to its end. */
export async function runShell(
  [name, ...args]: readonly string[],
  env: Record<string, string>,
): Promise<ShellOutcome> {
  const { code, stdout, stderr } = await new Deno.Command(name, {
    args,
    env,
    stdout: "piped",
    stderr: "piped",
  })
    .output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** Options of a call of a boot script's action. */
export interface CallOptions {
  readonly settings?: Partial<BootSettings>;
  /** Shell text of the program that the script starts. */
  readonly program?: string;
  readonly enabled?: boolean;
}

/** Reads the calls that a recording service manager has printed, one a line, words between tabs. */
export function readCalls(output: string): string[][] {
  return output.split("\n").slice(0, -1).map((line) => line.split("\t"));
}

/** The shells that boot scripts must run under; those that are missing are named on stderr. */
export const SHELLS: readonly { name: string; argv: readonly string[] }[] = [
  { name: "BusyBox ash", argv: ["busybox", "ash"] },
  { name: "dash", argv: ["dash"] },
].filter(({ name, argv }) => {
  try {
    return new Deno.Command(argv[0], { args: [...argv.slice(1), "-c", "exit 0"] }).outputSync().success;
  } catch {
    print(`skipped: boot scripts under ${name}: there is no ${argv[0]}`);
    return false;
  }
});

/** A folder of programs for PATH. */
export class Programs implements Disposable {
  constructor(readonly folder: string) {}

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** Programs with these shell texts; `tproxy` is always there, and prints its own call. */
export function fakePrograms(texts: Readonly<Record<string, string>> = {}): Programs {
  const folder = Deno.makeTempDirSync();
  for (const [name, text] of Object.entries({ tproxy: 'echo "tproxy $*"', ...texts })) {
    Deno.writeTextFileSync(`${folder}/${name}`, `#!/bin/sh\n${text}\n`);
    Deno.chmodSync(`${folder}/${name}`, 0o755);
  }
  return new Programs(folder);
}
