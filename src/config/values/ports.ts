/**
 * Ports and ranges of ports.
 * @module
 */
import type { PortRange } from "../types.ts";

/** Reads `443` or `"8000-8100"`; ports are 1 to 65535. `undefined` if it is neither. */
export function parsePortRange(input: unknown): PortRange | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(typeof input === "number" ? String(input) : asText(input));
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return first >= 1 && last >= first && last <= 65535 ? { first, last } : undefined;
}

/** Sorts ranges and joins those that overlap or touch. */
export function mergePorts(ranges: readonly PortRange[]): PortRange[] {
  const merged: { first: number; last: number }[] = [];
  for (const { first, last } of ranges.toSorted((a, b) => a.first - b.first)) {
    const previous = merged.at(-1);
    if (previous !== undefined && first <= previous.last + 1) previous.last = Math.max(previous.last, last);
    else merged.push({ first, last });
  }
  return merged;
}

/** `80, 443, 8000-8100`. */
export function formatPorts(ranges: readonly PortRange[]): string {
  return ranges.map(({ first, last }) => first === last ? `${first}` : `${first}-${last}`).join(", ");
}

/** Gives text as it is; anything else is the empty text, which nothing accepts. */
export function asText(input: unknown): string {
  return typeof input === "string" ? input : "";
}
