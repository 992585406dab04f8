/**
 * The report of a running proxy. Pure.
 * @module
 */
import type { ProxyState } from "../../daemon/control/status.ts";
import { fits, isObject, parseJson, type Shape } from "../control/shape.ts";

const UPSTREAM: Shape = {
  parts: {
    name: "text",
    state: ["up", "down", "refused"],
    since: "number",
    reason: "text",
    connections: "number",
    addresses: { list: "text" },
  },
};
const GROUP: Shape = {
  parts: { name: "text", strategy: "text", inUse: { list: "text" }, whenDown: ["block", "direct"] },
};
const HITS = {
  name: "text",
  flows: "number",
  live: "number",
  blocked: "number",
  bytesUp: "number",
  bytesDown: "number",
} as const;
const WHOLE: Shape = {
  parts: {
    program: "text",
    phase: ["running", "draining"],
    started: "number",
    config: "text",
    generation: "number",
    refused: { orNull: "text" },
    rules: "text",
    workers: "number",
    hanging: { list: "number" },
    connections: "number",
    maxConnections: "number",
    udpSessions: "number",
    maxUdpSessions: "number",
    rates: {
      parts: {
        overMs: "number",
        accepted: "number",
        udpSessions: "number",
        bytesUp: "number",
        bytesDown: "number",
      },
    },
  },
};
/** Parts that are left out where they have another form. */
const LISTS = {
  ruleHits: { list: { parts: { ...HITS, action: "text" } } },
  upstreamHits: { list: { parts: HITS } },
  upstreams: { list: UPSTREAM },
  groups: { list: GROUP },
} as const satisfies Record<string, Shape>;

/** Reads the report of a process, where `pid` is given of that one; undefined: it is none. */
export function parseState(text: string, pid?: number): ProxyState | undefined {
  const value = parseJson(text);
  if (!isObject(value) || value.version !== 1 || !fits(value, WHOLE)) return undefined;
  if (!fits(value.pid, "number") || (pid !== undefined && value.pid !== pid)) return undefined;
  const lists = Object.entries(LISTS).map((
    [name, shape],
  ) => [name, fits(value[name], shape) ? value[name] : []]);
  return {
    ...value,
    privileges: fits(value.privileges, "text") ? value.privileges : "not told",
    counters: numbersOf(value.counters),
    unrelayed: numbersOf(value.unrelayed),
    ...Object.fromEntries(lists),
  } as unknown as ProxyState;
}

function numbersOf(value: unknown): Record<string, unknown> {
  return isObject(value)
    ? Object.fromEntries(Object.entries(value).filter(([, count]) => fits(count, "number")))
    : {};
}
