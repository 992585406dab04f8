/**
 * One step of `scripts/test`.
 * @module
 */

export const DENO = "scripts/deno";

/** One command of the test run. */
export interface Step {
  readonly title: string;
  readonly argv: readonly string[];
  /** Minutes after which it is killed and counts as failed. */
  readonly minutes: number;
  /** Marks a `deno test` run: its tests are counted, not its exit code alone. */
  readonly countsTests?: boolean;
  /** Files of tests that may run side by side: each becomes a run of `argv`. */
  readonly sideBySide?: readonly string[];
  /**
   * Marks tests of the real kernel, whose moments depend on what else the machine does: a few that fail are
   * run once more, alone, and said to have passed at the second try.
   */
  readonly secondTry?: boolean;
  readonly env?: Record<string, string>;
  /** The step, by title, that must not have failed; else `otherwise` is run. */
  readonly needs?: string;
  readonly otherwise?: Step;
}
