/**
 * The live connections of a running proxy.
 * @module
 */
import type { ConnectionRow } from "../../daemon/control/connections/row.ts";
import { askLines } from "../control/proxy.ts";
import type { Env } from "../env.ts";
import type { Filter } from "./filter.ts";
import { type Order, sortRows } from "./order.ts";
import { readRow } from "./rows.ts";
import { formatTable } from "./table.ts";

/** The form of a list. */
export interface ListOptions {
  readonly order: Order;
  /** The most that are shown. */
  readonly top: number;
  readonly json: boolean;
}

/** Reads those that a filter means; undefined: no proxy answers. */
export async function readConnections(
  control: string,
  filter: Filter,
  now: number,
): Promise<ConnectionRow[] | undefined> {
  const lines = await askLines(control, { method: "GET", target: "/v1/connections" });
  if (lines === undefined) return undefined;
  const rows: ConnectionRow[] = [];
  for await (const line of lines) {
    const row = readRow(line);
    if (row !== undefined && filter(row, now)) rows.push(row);
  }
  return rows;
}

/** Shows rows. */
export function showConnections(env: Env, rows: readonly ConnectionRow[], options: ListOptions): void {
  const shown = sortRows(rows, options.order).slice(0, options.top);
  if (options.json) {
    env.stdout(`${JSON.stringify({ version: 1, connections: shown }, undefined, 2)}\n`);
    return;
  }
  const columns = env.stdoutIsTerminal ? env.columns : Infinity;
  env.stdout(formatTable(shown, { columns, now: env.now().getTime() }));
  if (shown.length < rows.length) env.stderr(`tproxy: ${shown.length} of ${rows.length} are shown\n`);
}
