/**
 * Those who take lines. Pure.
 * @module
 */

/** Somebody who takes lines, and never makes anybody wait. */
export interface LineTaker {
  /** Tells whether it would keep another line that it cannot write at once. */
  readonly hasRoom: boolean;
  /** Takes a line, newline included. */
  write(line: string): void;
}
