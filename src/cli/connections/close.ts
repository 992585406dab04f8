/**
 * Closing connections: shown first, then asked, then told to the proxy.
 * @module
 */
import type { ConnectionRow } from "../../daemon/control/connections/row.ts";
import { OperationError } from "../../net/error.ts";
import { ask } from "../control/proxy.ts";
import type { Env } from "../env.ts";
import { formatTable } from "./table.ts";

/** Names in a request: as many as its body has room for. */
const MOST_IDS = 1000;
/** Rows that are shown before the question. */
const SHOWN = 10;

/** Closes rows, if that is wanted. Returns the exit code; undefined: no proxy answers. */
export async function closeConnections(
  env: Env,
  control: string,
  { rows, yes }: { readonly rows: readonly ConnectionRow[]; readonly yes: boolean },
): Promise<number | undefined> {
  if (rows.length === 0) {
    env.stderr("tproxy: there is no such connection\n");
    return 1;
  }
  const what = rows.length === 1 ? "1 connection" : `${rows.length} connections`;
  if (!yes && !isWanted(env, rows, what)) return 1;
  for (let at = 0; at < rows.length; at += MOST_IDS) {
    if (!await tellToClose(control, rows.slice(at, at + MOST_IDS).map(({ id }) => id))) return undefined;
  }
  env.stdout(`Closed ${what}.\n`);
  return 0;
}

/** Tells a proxy which connections to close; false: none answers. */
export async function tellToClose(control: string, ids: readonly string[]): Promise<boolean> {
  const body = JSON.stringify({ ids });
  return await ask(control, { method: "POST", target: "/v1/connections/close", body }) !== undefined;
}

function isWanted(env: Env, rows: readonly ConnectionRow[], what: string): boolean {
  const { columns } = env;
  env.stderr(formatTable(rows.slice(0, SHOWN), { columns, now: env.now().getTime() }));
  if (rows.length > SHOWN) env.stderr(`and ${rows.length - SHOWN} more\n`);
  const wanted = env.ask(`Close ${what}? [y/N] `);
  if (wanted === undefined) {
    throw new OperationError({
      operation: "close",
      object: what,
      reason: "nobody can be asked here",
      hint: "Say --yes",
      usage: true,
    });
  }
  return wanted;
}
