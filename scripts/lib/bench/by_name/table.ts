/**
 * The Markdown table of the benchmark by name, a row for each measure, and the verdict on its targets.
 * @module
 */
import { formatMeasures, type MeasureRow } from "../measure_table.ts";
import { summarize } from "../statistics.ts";
import type { Results, Verdict } from "../suite.ts";
import { type Judged, judgeRatios, makeVerdict } from "../verdicts.ts";

const BASES = ["forwarding", "haproxy"] as const;

const ROWS: readonly MeasureRow[] = [
  { measure: "connections", title: "new connections/s", digits: 0 },
  { measure: "browser", title: "new connections/s of a browser", digits: 0 },
  { measure: "requests", title: "requests/s", digits: 0 },
  { measure: "up", title: "to server, Gbit/s", digits: 2 },
  { measure: "down", title: "to client, Gbit/s", digits: 2 },
  ...["ssh", "smtp", "mysql"].flatMap((name) => [
    { measure: `${name}.median`, title: `${name} greeting: median, ms`, digits: 2 },
    { measure: `${name}.p99`, title: `${name} greeting: p99, ms`, digits: 2 },
  ]),
  { measure: "memory", title: "memory, MiB", digits: 1 },
  { measure: "perConnection", title: "CPU µs/connection", digits: 0 },
];

/** Measures that are printed of each sample. */
export const BY_NAME_HEADLINES: readonly string[] = ROWS.map(({ measure }) => measure);

/** tproxy as a multiple of another, at least. */
const TARGETS: readonly { base: typeof BASES[number]; measures: readonly string[]; ratio: number }[] = [
  { base: "forwarding", measures: ["requests", "up", "down"], ratio: 0.9 },
  { base: "haproxy", measures: ["requests", "up", "down"], ratio: 2 },
];

/** ms by which a greeting may come later than where it is forwarded. */
const GREETING_LIMIT = 2;

/** A row for each measure, a column for each contestant, and the ratios. */
export function formatByNameTable(results: Results): string {
  return formatMeasures(results, ROWS, BASES);
}

/** One line for each target; undefined where a contestant is missing. */
export function judgeByName(results: Results): Verdict | undefined {
  const beside = TARGETS.flatMap(({ base, measures, ratio }) =>
    judgeRatios(results, base, measures.map((measure) => ({ measure, ratio })))
  );
  return makeVerdict([...beside, ...judgeGreetings(results)]);
}

function judgeGreetings(results: Results): Judged[] {
  const [ours, forwarded] = ["tproxy", "forwarding"].map((name) => summarize(results.get(name) ?? []));
  return Object.keys(ours).filter((measure) => measure.includes(".") && forwarded[measure] !== undefined)
    .map((measure) => {
      const late = ours[measure]! - forwarded[measure]!;
      return {
        held: late <= GREETING_LIMIT,
        text: `${measure}: ${late.toFixed(2)} ms later than forwarded, target ${GREETING_LIMIT}`,
      };
    });
}
