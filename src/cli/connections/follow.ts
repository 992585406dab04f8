/**
 * Connections as they open and close, a line of JSON each.
 * @module
 */
import type { ClosedRow, ConnectionRow } from "../../daemon/control/connections/row.ts";
import { askLines } from "../control/proxy.ts";
import { isObject, parseJson } from "../control/shape.ts";
import type { Env } from "../env.ts";
import type { Filter } from "./filter.ts";
import { rowOf } from "./rows.ts";

/** Writes those that a filter means, until the proxy ends; false: no proxy answers. */
export async function followConnections(env: Env, control: string, filter: Filter): Promise<boolean> {
  const lines = await askLines(control, { method: "GET", target: "/v1/connections?follow", waits: true });
  if (lines === undefined) return false;
  for await (const line of lines) {
    const event = readEvent(line);
    if (event !== undefined && filter(event, env.now().getTime())) env.stdout(`${JSON.stringify(event)}\n`);
  }
  return true;
}

/** A connection that has opened or closed. */
type ConnectionEvent =
  | (ConnectionRow & { readonly event: "open" })
  | (ClosedRow & { readonly event: "close" });

/** Reads a line; undefined: it is of no connection that anything is known of. */
export function readEvent(line: string): ConnectionEvent | undefined {
  const value = parseJson(line);
  if (!isObject(value) || (value.event !== "open" && value.event !== "close")) return undefined;
  const { event, ...rest } = value;
  const row = rowOf(rest, event);
  return row === undefined ? undefined : { event, ...row } as ConnectionEvent;
}
