/**
 * Problems of a config file, all of them at once.
 * @module
 */
import { OperationError } from "../net/error.ts";

/** A place in a file and what is wrong or noteworthy there. */
export interface ConfigProblem {
  /** Counted from 1; 0 where the problem has no place. */
  readonly line: number;
  /** Counted from 1, in characters. */
  readonly column: number;
  readonly text: string;
}

/** `FILE:LINE:COLUMN: text`, which editors can jump to. */
export function formatProblem(file: string, { line, column, text }: ConfigProblem): string {
  return line === 0 ? `${file}: ${text}` : `${file}:${line}:${column}: ${text}`;
}

/**
 * An invalid config. The message has one line for each problem, in the order of the file. It is wrong usage.
 */
export class ConfigError extends OperationError {
  readonly file: string;
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[], options?: ErrorOptions) {
    super({ operation: "use config", object: file, usage: true }, options);
    this.file = file;
    this.problems = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
    this.message = this.problems.map((problem) => formatProblem(file, problem)).join("\n");
  }
}
