/**
 * A family of metrics: one name, and its series. Pure.
 * @module
 */
import type { Snapshot } from "./snapshot.ts";

/** A series: a value for each of the family's labels, and a number. */
export interface Series {
  readonly labels: readonly string[];
  readonly value: number;
  /** The part of a histogram that it is. */
  readonly part?: { readonly suffix: "_sum" | "_count" } | {
    readonly suffix: "_bucket";
    readonly le: string;
  };
}

/** See the module. */
export interface MetricFamily {
  /** With `_total` where it is a counter. */
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
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

/** A histogram with labels. `counts`: of each bucket by itself; the last has no bound. */
export function histogram(
  name: string,
  help: string,
  labels: readonly string[],
  bounds: readonly number[],
  rows: (from: Snapshot) => readonly {
    readonly labels: readonly string[];
    readonly counts: readonly number[];
    readonly sum: number;
  }[],
): MetricFamily {
  const series = (from: Snapshot) =>
    rows(from).flatMap(({ labels, counts, sum }) => {
      let below = 0;
      const buckets = counts.map((count, index): Series => {
        below += count;
        const le = index < bounds.length ? String(bounds[index]) : "+Inf";
        return { labels, value: below, part: { suffix: "_bucket", le } };
      });
      const all: Series[] = [
        { labels, value: sum, part: { suffix: "_sum" } },
        { labels, value: below, part: { suffix: "_count" } },
      ];
      return [...buckets, ...all];
    });
  return { name, type: "histogram", help, labels, series };
}
