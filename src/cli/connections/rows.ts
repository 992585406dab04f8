/**
 * Rows of live connections as a proxy tells them, read again. Pure.
 * @module
 */
import { type ConnectionRow, STATES } from "../../daemon/control/connections/row.ts";
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
    state: STATES,
    bytesUp: "number",
    bytesDown: "number",
    started: "text",
  },
};

/** Reads a line; undefined: it is no row. A name may be anything that a client sends, and is escaped. */
export function readRow(line: string): ConnectionRow | undefined {
  const value = parseJson(line);
  if (!isObject(value)) return undefined;
  const { name } = value;
  const row = { ...value, name: typeof name === "string" ? oneLine(name) : name };
  return fits(row, ROW) ? row as unknown as ConnectionRow : undefined;
}
