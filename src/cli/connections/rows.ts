/**
 * Rows of live connections as a proxy tells them, read again. Pure.
 * @module
 */
import { type ClosedRow, type ConnectionRow, STATES } from "../../daemon/control/connections/row.ts";
import { oneLine } from "../../net/one_line.ts";
import { fits, isObject, parseJson, type Shape } from "../control/shape.ts";

const TEXT_OR_NULL: Shape = { orNull: "text" };
const ROW: Shape = {
  parts: {
    id: "text",
    protocol: ["tcp", "udp"],
    family: ["ipv4", "ipv6"],
    client: "text",
    clientPort: "number",
    device: TEXT_OR_NULL,
    mac: TEXT_OR_NULL,
    destination: TEXT_OR_NULL,
    destinationPort: { orNull: "number" },
    name: TEXT_OR_NULL,
    rule: TEXT_OR_NULL,
    upstream: TEXT_OR_NULL,
    bytesUp: "number",
    bytesDown: "number",
    started: "text",
  },
};
const LIVE: Shape = { parts: { state: STATES } };
const CLOSED: Shape = { parts: { state: ["closed"], ending: "text", ended: "text" } };

/** Reads a line; undefined: it is no row. A name may be anything that a client sends, and is escaped. */
export function readRow(line: string): ConnectionRow | undefined {
  return rowOf(parseJson(line), "open") as ConnectionRow | undefined;
}

/** Reads a row that lives, or that has ended. */
export function rowOf(value: unknown, event: "open" | "close"): ConnectionRow | ClosedRow | undefined {
  if (!isObject(value)) return undefined;
  const { name } = value;
  const row = { ...value, name: typeof name === "string" ? oneLine(name) : name };
  const isRow = fits(row, ROW) && fits(row, event === "open" ? LIVE : CLOSED);
  return isRow ? row as unknown as ConnectionRow | ClosedRow : undefined;
}
