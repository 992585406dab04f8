/**
 * A family of metrics: one name, and its series. Pure.
 * @module
 */
import type { Snapshot } from "./snapshot.ts";

/** A series: a value for each of the family's labels, and a number. */
export interface Series {
  readonly labels: readonly string[];
  readonly value: number;
}

/** See the module. */
export interface MetricFamily {
  /** With `_total` where it is a counter. */
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  readonly labels: readonly string[];
  /** All of its series, those too that are 0: a rate needs a begin. */
  readonly series: (from: Snapshot) => readonly Series[];
}

/** A family of one series. */
export function single(
  type: MetricFamily["type"],
  name: string,
  help: string,
  value: (from: Snapshot) => number,
): MetricFamily {
  return { name, type, help, labels: [], series: (from) => [{ labels: [], value: value(from) }] };
}

/** A family with a series for each of several numbers. */
export function several(
  type: MetricFamily["type"],
  name: string,
  help: string,
  labels: readonly string[],
  rows: (from: Snapshot) => readonly (readonly [...labels: string[], value: number])[],
): MetricFamily {
  const series = (from: Snapshot) =>
    rows(from).map((row) => ({ labels: row.slice(0, -1) as string[], value: row.at(-1) as number }));
  return { name, type, help, labels, series };
}
