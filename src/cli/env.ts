/**
 * Everything outside the process that a command may touch, so that a test can run the whole program in
 * process.
 * @module
 */

import type { Files } from "./files.ts";

/** Output and exit code of one of the machine's programs. */
export interface ProgramOutcome {
  /** Its exit code; 127: the machine does not have the program. */
  readonly code: number;
  /** Both outputs. */
  readonly output: string;
}

/** The world as a command sees it. */
export interface Env {
  /** The command line without the program's name. */
  readonly args: readonly string[];
  /** Writes text as it is; a newline is the caller's. */
  stdout(text: string): void;
  stderr(text: string): void;
  readonly stdoutIsTerminal: boolean;
  /** Width of the terminal in characters; 80 where there is none. */
  readonly columns: number;
  /** stderr is journald's stream: log lines need no clock of their own. */
  readonly stderrIsJournal: boolean;
  /** Asks the person at the terminal whether to go on; undefined: there is none. */
  ask(question: string): boolean | undefined;
  getenv(name: string): string | undefined;
  /** Throws Deno's errors. */
  readTextFile(path: string): string;
  /** Reads standard input to its end; the same text each time. Throws Deno's errors. */
  readStdin(): string;
  /** The machine's files, for what is set up there. */
  readonly files: Files;
  /** Runs a program of the machine to its end. Never throws. */
  runProgram(argv: readonly string[]): Promise<ProgramOutcome>;
  /** The current directory. */
  cwd(): string;
  now(): Date;
  /** The command that starts this same program again as a child. */
  readonly self: { readonly command: string; readonly args: readonly string[] };
}
