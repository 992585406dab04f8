/**
 * The report of a running proxy, which may be of another version, or of a process that is not what it was:
 * whoever reads it is root, and shows it on a terminal. Pure.
 * @module
 */
import type { ProxyState } from "../../daemon/state_file.ts";
import { oneLine } from "../../net/one_line.ts";

/** Form of a value: a text for one line, one of some words, a number, a list, or parts by name. */
type Shape = "text" | "number" | readonly string[] | { list: Shape } | { parts: Record<string, Shape> };

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
    config: "text",
    started: "number",
    updated: "number",
    connections: "number",
    udpSessions: "number",
  },
};
/** Parts that are left out where they have another form. */
const LISTS = {
  ruleHits: { list: { parts: { ...HITS, action: "text" } } },
  upstreamHits: { list: { parts: HITS } },
  upstreams: { list: UPSTREAM },
  groups: { list: GROUP },
} as const satisfies Record<string, Shape>;

/** Reads the report of a process; undefined: it is none. */
export function parseState(text: string, pid: number): ProxyState | undefined {
  const value = parse(text);
  if (!isObject(value) || value.version !== 1 || value.pid !== pid || !fits(value, WHOLE)) return undefined;
  const counters = isObject(value.counters) ? Object.entries(value.counters) : [];
  const lists = Object.entries(LISTS).map((
    [name, shape],
  ) => [name, fits(value[name], shape) ? value[name] : []]);
  return {
    ...value,
    privileges: fits(value.privileges, "text") ? value.privileges : "not told",
    counters: Object.fromEntries(counters.filter(([, count]) => fits(count, "number"))),
    ...Object.fromEntries(lists),
  } as unknown as ProxyState;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fits(value: unknown, shape: Shape): boolean {
  if (shape === "number") return Number.isFinite(value);
  if (shape === "text") return typeof value === "string" && oneLine(value) === value;
  if ("list" in shape) return Array.isArray(value) && value.every((item) => fits(item, shape.list));
  if (!("parts" in shape)) return typeof value === "string" && shape.includes(value);
  return isObject(value) && Object.entries(shape.parts).every(([name, part]) => fits(value[name], part));
}
