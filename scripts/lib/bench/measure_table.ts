/**
 * A Markdown table with a row for each measure and a column for each contestant, and the ratios behind them.
 * Pure.
 * @module
 */
import { compare, formatNumber, formatRow, formatRule, summarize } from "./statistics.ts";
import type { Results } from "./suite.ts";

/** A row. */
export interface MeasureRow {
  readonly measure: string;
  readonly title: string;
  readonly digits: number;
}

/** Makes the table. `bases`: those that tproxy is a multiple of. */
export function formatMeasures(
  results: Results,
  rows: readonly MeasureRow[],
  bases: readonly string[],
): string {
  const medians = [...results.values()].map(summarize);
  const ratios = bases.map((base) => ({ name: `tproxy ÷ ${base}`, values: compare(results, base) }))
    .flatMap(({ name, values }) => values === undefined ? [] : [{ name, values }]);
  const names = [...results.keys(), ...ratios.map(({ name }) => name)];
  const lines = rows.map(({ measure, title, digits }) =>
    formatRow([
      title,
      ...medians.map((values) => formatNumber(values[measure], digits)),
      ...ratios.map(({ values }) => formatNumber(values[measure], 2)),
    ])
  );
  return [formatRow(["median", ...names]), formatRule(names.length), ...lines].join("\n");
}
