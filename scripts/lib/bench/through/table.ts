/**
 * The Markdown table of the benchmark through a SOCKS5 proxy, and the verdict: at least what v2ray does.
 * @module
 */
import { formatMeasures, type MeasureRow } from "../measure_table.ts";
import type { Results, Verdict } from "../suite.ts";
import { judgeRatios, makeVerdict } from "../verdicts.ts";

const ROWS: readonly MeasureRow[] = [
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
/** Of these tproxy does at least as much. */
const TARGETS = ["connections", "requests", "up", "down"].map((measure) => ({ measure, ratio: 1 }));

/** A row for each measure, a column for each contestant, and the ratio. */
export function formatThroughTable(results: Results): string {
  return formatMeasures(results, ROWS, [BASE]);
}

/** One line for each target; undefined where a contestant is missing. */
export function judgeThrough(results: Results): Verdict | undefined {
  return makeVerdict(judgeRatios(results, BASE, TARGETS));
}
