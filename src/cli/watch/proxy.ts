/**
 * The proxy that the live screen looks at, by its control socket.
 * @module
 */
import type { ConnectionRow } from "../../daemon/control/connections/row.ts";
import { tellToClose } from "../connections/close.ts";
import type { Filter } from "../connections/filter.ts";
import { readConnections } from "../connections/list.ts";
import { ask } from "../control/proxy.ts";
import { fits, parseJson, type Shape } from "../control/shape.ts";
import type { Summary } from "./draw.ts";
import type { WatchedFlow } from "./flow.ts";
import type { Watched } from "./screen.ts";

const SUMMARY: Shape = {
  parts: {
    program: "text",
    started: "number",
    connections: "number",
    udpSessions: "number",
    phase: "text",
  },
};

/** Makes the proxy at a path one that can be watched; `filter`: the connections that are shown. */
export function watchedAt(path: string, filter: Filter): Watched {
  return {
    async look() {
      const status = await ask(path, { method: "GET", target: "/v1/status" });
      const rows = status === undefined ? undefined : await readConnections(path, filter, Date.now());
      const summary = parseJson(status ?? "");
      if (rows === undefined || !fits(summary, SUMMARY)) return undefined;
      return { summary: summary as Summary, flows: rows.map(flowOf) };
    },
    async close(id) {
      return await tellToClose(path, [id]) ? "closed" : "no proxy answers";
    },
  };
}

/** Makes a row of the control socket a flow of the screen. */
export function flowOf(row: ConnectionRow): WatchedFlow {
  const { id, protocol, client, destination, destinationPort, name, upstream, state, bytesUp, bytesDown } =
    row;
  return {
    id,
    protocol,
    family: row.family === "ipv4" ? 4 : 6,
    client,
    device: row.device ?? row.mac ?? client,
    destination,
    destinationPort,
    name,
    rule: row.rule ?? "-",
    upstream,
    state,
    bytesUp,
    bytesDown,
    started: Date.parse(row.started),
  };
}
