/**
 * The Markdown table of the benchmark through a SOCKS5 proxy, and the verdict: at least what v2ray does.
 * @module
 */
import { compare, formatNumber, formatRow, formatRule, summarize } from "../statistics.ts";
import type { Results, Verdict } from "../suite.ts";

const ROWS: readonly { measure: string; title: string; digits: number }[] = [
  { measure: "connections", title: "new connections/s", digits: 0 },
  { measure: "requests", title: "requests/s", digits: 0 },
  { measure: "up", title: "to server, Gbit/s", digits: 2 },
  { measure: "down", title: "to client, Gbit/s", digits: 2 },
  { measure: "memory", title: "memory, MiB", digits: 1 },
  { measure: "perConnection", title: "CPU µs/connection", digits: 0 },
];

/** See by_name/measures.ts. */
export const THROUGH_MEASURES: readonly string[] = ROWS.map(({ measure }) => measure);

const BASE = "v2ray";
/** Of them tproxy does at least as much. */
const COMPARED = ["connections", "requests", "up", "down"];

/** A row for each measure, a column for each contestant, and the ratio. */
export function formatThroughTable(results: Results): string {
  const columns = [...results].map(([name, samples]) => ({ name, values: summarize(samples) }));
  const ratios = compare(results, BASE);
  const names = [...columns.map(({ name }) => name), ...(ratios === undefined ? [] : [`tproxy ÷ ${BASE}`])];
  const rows = ROWS.map(({ measure, title, digits }) =>
    formatRow([
      title,
      ...columns.map(({ values }) => formatNumber(values[measure], digits)),
      ...(ratios === undefined ? [] : [formatNumber(ratios[measure], 2)]),
    ])
  );
  return [formatRow(["median", ...names]), formatRule(names.length), ...rows].join("\n");
}

/** One line for each target; undefined where a contestant is missing. */
export function judgeThrough(results: Results): Verdict | undefined {
  const ratios = compare(results, BASE);
  if (ratios === undefined) return undefined;
  const measured = COMPARED.filter((measure) => ratios[measure] !== undefined);
  return {
    held: measured.every((measure) => ratios[measure]! >= 1),
    lines: measured.map((measure) =>
      `${ratios[measure]! >= 1 ? "holds" : "MISSED"}  ${measure}: ${
        ratios[measure]!.toFixed(2)
      } times ${BASE}, target 1`
    ),
  };
}
