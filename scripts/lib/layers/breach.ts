/**
 * A breach of the house's rules.
 * @module
 */

/** A place that breaks a rule, and how. */
export interface Breach {
  /** The file or folder, relative to the top of the project. */
  readonly path: string;
  readonly line?: number;
  readonly text: string;
}

/** Writes a breach as one line of output. */
export function formatBreach({ path, line, text }: Breach): string {
  return `${path}${line === undefined ? "" : `:${line}`}: ${text}`;
}
