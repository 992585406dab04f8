/**
 * Running a program of the machine.
 * @module
 */
import type { ProgramOutcome } from "./env.ts";

/** The exit code of a shell whose program is not there. */
const NOT_FOUND = 127;

/** Runs a program to its end, with nothing to read. */
export async function runProgram([name, ...args]: readonly string[]): Promise<ProgramOutcome> {
  try {
    const command = new Deno.Command(name, { args, stdin: "null", stdout: "piped", stderr: "piped" });
    const { code, stdout, stderr } = await command.output();
    const decoder = new TextDecoder();
    return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
  } catch (error) {
    return { code: NOT_FOUND, output: error instanceof Error ? error.message : String(error) };
  }
}
