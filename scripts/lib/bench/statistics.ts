/**
 * Medians of samples, and numbers as a table shows them.
 * @module
 */
import type { Results, Sample } from "./suite.ts";

/** The middle of the numbers; undefined for none. */
export function median(numbers: readonly number[]): number | undefined {
  if (numbers.length === 0) return undefined;
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median of each measure. */
export function summarize(samples: readonly Sample[]): Sample {
  const measures = new Set(samples.flatMap((sample) => Object.keys(sample)));
  return Object.fromEntries([...measures].map((measure) => {
    const values = samples.map((sample) => sample[measure]).filter((value) => value !== undefined);
    return [measure, median(values)];
  }));
}

/** tproxy as a multiple of another, by measure; undefined where one of them is missing. */
export function compare(results: Results, to: string): Sample | undefined {
  const [theirs, ours] = [results.get(to), results.get("tproxy")];
  if (theirs === undefined || ours === undefined) return undefined;
  const [base, medians] = [summarize(theirs), summarize(ours)];
  const shared = Object.keys(base).filter((measure) => medians[measure] !== undefined);
  return Object.fromEntries(shared.map((measure) => [measure, medians[measure]! / base[measure]!]));
}

/** A cell of a table; a dash for what was not measured, or has no ratio. */
export function formatNumber(value: number | undefined, digits: number): string {
  return value === undefined || !Number.isFinite(value) ? "–" : value.toFixed(digits);
}

/** A row of a Markdown table. */
export function formatRow(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** The line under the head of a Markdown table: words first, then so many columns of numbers. */
export function formatRule(numbers: number): string {
  return `| --- |${" ---: |".repeat(numbers)}`;
}
