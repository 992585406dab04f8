/**
 * Medians, the Markdown table, and the verdict on the targets.
 * @module
 */
import type { Contestant } from "./contestants.ts";
import type { Measure, Sample } from "./measures.ts";

/** All samples of each contestant. */
export type Results = Map<Contestant["name"], Partial<Sample>[]>;

const COLUMNS: readonly { measure: Measure; title: string; digits: number }[] = [
  { measure: "up", title: "to server, Gbit/s", digits: 2 },
  { measure: "down", title: "to client, Gbit/s", digits: 2 },
  { measure: "requests", title: "requests/s", digits: 0 },
  { measure: "connections", title: "connections/s", digits: 0 },
  { measure: "memory", title: "memory, MiB", digits: 1 },
  { measure: "processor", title: "CPU s/GB", digits: 2 },
];

/** tproxy as a multiple of HAProxy, at least. */
const TARGETS: readonly { measure: Measure; ratio: number }[] = [
  { measure: "up", ratio: 1.2 },
  { measure: "down", ratio: 1.2 },
  { measure: "requests", ratio: 0.95 },
  { measure: "connections", ratio: 1.2 },
];

/** The middle of the numbers; undefined for none. */
export function median(numbers: readonly number[]): number | undefined {
  if (numbers.length === 0) return undefined;
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The medians of a contestant. */
export function summarize(samples: readonly Partial<Sample>[]): Partial<Sample> {
  const entries = COLUMNS.map(({ measure }) => {
    const values = samples.map((sample) => sample[measure]).filter((value) => value !== undefined);
    return [measure, median(values)] as const;
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** The table for the README. */
export function formatTable(results: Results): string {
  const row = (name: string, cells: readonly string[]) => `| ${[name, ...cells].join(" | ")} |`;
  const lines = [
    row("median", COLUMNS.map(({ title }) => title)),
    `| --- |${COLUMNS.map(() => " ---: |").join("")}`,
  ];
  for (const [name, samples] of results) {
    const medians = summarize(samples);
    lines.push(row(name, COLUMNS.map(({ measure, digits }) => formatNumber(medians[measure], digits))));
  }
  for (const base of ["haproxy", "haproxy, tproxy's rules"] as const) {
    const ratios = compare(results, base);
    if (ratios === undefined) continue;
    lines.push(row(`tproxy ÷ ${base}`, COLUMNS.map(({ measure }) => formatNumber(ratios[measure], 2))));
  }
  return lines.join("\n");
}

/** One line for each target; undefined where a contestant is missing. */
export function judge(results: Results): { lines: string[]; held: boolean } | undefined {
  const ratios = compare(results, "haproxy");
  if (ratios === undefined) return undefined;
  const verdicts = TARGETS.filter(({ measure }) => ratios[measure] !== undefined).map((
    { measure, ratio },
  ) => ({
    held: ratios[measure]! >= ratio,
    text: `${measure}: ${ratios[measure]!.toFixed(2)} times HAProxy, target ${ratio}`,
  }));
  return {
    held: verdicts.every(({ held }) => held),
    lines: verdicts.map(({ held, text }) => `${held ? "holds" : "MISSED"}  ${text}`),
  };
}

function compare(results: Results, to: Contestant["name"]): Partial<Sample> | undefined {
  const haproxy = results.get(to);
  const tproxy = results.get("tproxy");
  if (haproxy === undefined || tproxy === undefined) return undefined;
  const [base, ours] = [summarize(haproxy), summarize(tproxy)];
  const entries = COLUMNS.filter(({ measure }) => base[measure] !== undefined && ours[measure] !== undefined)
    .map(({ measure }) => [measure, ours[measure]! / base[measure]!]);
  return Object.fromEntries(entries);
}

function formatNumber(value: number | undefined, digits: number): string {
  return value === undefined ? "–" : value.toFixed(digits);
}
