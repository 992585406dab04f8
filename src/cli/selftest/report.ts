/**
 * The self-test's results as text and as JSON.
 * @module
 */
import { paint } from "../colors.ts";

/** Result of a check. */
export interface Result {
  readonly name: string;
  readonly result: "pass" | "fail" | "skip";
  /** A remark, what was seen instead, or the reason of the skip; may be empty. */
  readonly detail: string;
  readonly milliseconds: number;
}

/** All results, as `--json` prints them. */
export interface SelftestReport {
  readonly version: string;
  readonly kernel: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly checks: readonly Result[];
}

const NAME_WIDTH = 58;
const COLORS = { pass: "green", fail: "red", skip: "yellow" } as const;

/** One row, newline included. `color`: with ANSI colours. */
export function formatResult(result: Result, color: boolean): string {
  const word = paint(result.result, COLORS[result.result], color);
  const detail = result.detail === "" ? "" : `  ${result.detail}`;
  return `${word}  ${result.name.padEnd(NAME_WIDTH)} ${
    String(result.milliseconds).padStart(5)
  } ms${detail}\n`;
}

/** Counts the results. */
export function makeReport(
  checks: readonly Result[],
  facts: { version: string; kernel: string },
): SelftestReport {
  const count = (wanted: Result["result"]) => checks.filter(({ result }) => result === wanted).length;
  return { ...facts, passed: count("pass"), failed: count("fail"), skipped: count("skip"), checks };
}

/** The last line. */
export function formatSummary(report: SelftestReport): string {
  return `${report.passed} passed, ${report.failed} failed, ${report.skipped} skipped\n`;
}
