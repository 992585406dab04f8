/**
 * The Markdown table of the TCP benchmark, and the verdict on its targets.
 * @module
 */
import { compare, formatNumber, formatRow, formatRule, summarize } from "../statistics.ts";
import { EARLY, type Results, type Verdict } from "../suite.ts";
import { judgeRatios, makeVerdict, type Target } from "../verdicts.ts";

const COLUMNS: readonly { measure: string; title: string; digits: number }[] = [
  { measure: "up", title: "to server, Gbit/s", digits: 2 },
  { measure: "down", title: "to client, Gbit/s", digits: 2 },
  { measure: "requests", title: "requests/s", digits: 0 },
  { measure: "connections", title: "connections/s", digits: 0 },
  { measure: "memory", title: "memory, MiB", digits: 1 },
  { measure: "processor", title: "CPU s/GB", digits: 2 },
  { measure: "perConnection", title: "CPU µs/connection", digits: 0 },
];

/** tproxy as a multiple of HAProxy, at least. */
const TARGETS: readonly Target[] = [
  { measure: "up", ratio: 1.2 },
  { measure: "down", ratio: 1.2 },
  { measure: "requests", ratio: 0.95 },
  { measure: "connections", ratio: 1.2 },
];

/** The price of a question: some connections/s, and of what comes after it nothing but noise. */
const PRICE: readonly Target[] = [
  { measure: "up", ratio: 0.95 },
  { measure: "down", ratio: 0.95 },
  { measure: "requests", ratio: 0.95 },
  { measure: "connections", ratio: 0.85 },
];

/** A row for each contestant, and the ratios. */
export function formatTcpTable(results: Results): string {
  const lines = [
    formatRow(["median", ...COLUMNS.map(({ title }) => title)]),
    formatRule(COLUMNS.length),
  ];
  for (const [name, samples] of results) {
    const medians = summarize(samples);
    lines.push(
      formatRow([name, ...COLUMNS.map(({ measure, digits }) => formatNumber(medians[measure], digits))]),
    );
  }
  for (const base of ["haproxy", "haproxy, tproxy's rules", EARLY]) {
    const ratios = compare(results, base);
    if (ratios === undefined) continue;
    lines.push(
      formatRow([`tproxy ÷ ${base}`, ...COLUMNS.map(({ measure }) => formatNumber(ratios[measure], 2))]),
    );
  }
  return lines.join("\n");
}

/** One line for each target; undefined where a contestant is missing. */
export function judgeTcp(results: Results): Verdict | undefined {
  return makeVerdict([
    ...judgeRatios(results, "haproxy", TARGETS),
    ...judgeRatios(results, EARLY, PRICE),
  ]);
}
