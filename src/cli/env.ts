/**
 * Everything outside the process that a command may touch, so that a test can run the whole program in process.
 * @module
 */

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
  getenv(name: string): string | undefined;
  /** Throws Deno's errors. */
  readTextFile(path: string): string;
  now(): Date;
  /** How to start this same program again as a child. */
  readonly self: { readonly command: string; readonly args: readonly string[] };
}
