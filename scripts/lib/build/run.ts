/**
 * Talks to the one who builds, and runs programs.
 * @module
 */
import { PROJECT } from "./project.ts";

/** Writes a line for the one who builds. */
export function say(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}

class BuildFailure extends Error {}

/** Ends the build with a reason. */
export function giveUp(reason: string): never {
  throw new BuildFailure(reason);
}

/** Runs a build; its failure is a line for people and exit code 1. */
export function runBuild(build: () => void): void {
  try {
    build();
  } catch (error) {
    if (!(error instanceof BuildFailure)) throw error;
    say(`scripts/build: ${error.message}`);
    Deno.exit(1);
  }
}

/** Runs a program in the project and gives its output. Ends the build if it fails. */
export function run(
  command: string,
  args: readonly string[],
  options: { env?: Record<string, string>; cwd?: string } = {},
): string {
  const result = new Deno.Command(command, {
    args: [...args],
    cwd: PROJECT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...options,
  }).outputSync();
  const text = new TextDecoder().decode(result.stdout);
  if (!result.success) {
    const errors = new TextDecoder().decode(result.stderr);
    giveUp(`${command} failed (exit ${result.code}): ${args.join(" ")}\n${text}${errors}`.trimEnd());
  }
  return text;
}

/** Runs a program in the project that talks to the one who builds. Ends the build if it fails. */
export function runAloud(command: string, args: readonly string[]): void {
  const result = new Deno.Command(command, {
    args: [...args],
    cwd: PROJECT,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).outputSync();
  if (!result.success) giveUp(`${command} ${args.join(" ")} failed, see above`);
}
