/**
 * The tables of `scripts/bench --memory`, in Markdown.
 * @module
 */
import { formatNumber, formatRow, formatRule, median } from "../statistics.ts";
import { UDP_SESSIONS } from "./load.ts";
import type { LimitResult } from "./try_limit.ts";
import type { WorkerCost } from "./workers.ts";

const MIB = 1 << 20;

const LIMIT_COLUMNS = [
  "first start, s",
  "idle RSS, MiB",
  "after load",
  "anonymous",
  "bulk, of unlimited",
  "lost requests",
  `UDP of ${UDP_SESSIONS}`,
  "killed by the kernel",
];

/** A row for each limit (MiB), medians; throughput as a part of what passes without a limit. */
export function formatLimits(results: ReadonlyMap<number | undefined, readonly LimitResult[]>): string {
  const unlimited = results.get(undefined) ?? [];
  const rows = [...results].map(([limit, tries]) => {
    const ratio = (pick: (result: LimitResult) => number | undefined) =>
      (medianOf(tries, pick) ?? NaN) / (medianOf(unlimited, pick) ?? NaN);
    const killed = tries.filter(({ killed }) => killed > 0).length;
    return formatRow([
      limit === undefined ? "none" : `${limit} MiB`,
      formatNumber(inUnits(medianOf(tries, (t) => t.firstStart), 1000), 1),
      formatNumber(inUnits(medianOf(tries, (t) => t.idle?.resident), MIB), 0),
      formatNumber(inUnits(medianOf(tries, (t) => t.loaded?.resident), MIB), 0),
      formatNumber(inUnits(medianOf(tries, (t) => t.loaded?.anonymous), MIB), 0),
      formatNumber(ratio((t) => t.throughput?.gigabits), 2),
      formatNumber(medianOf(tries, (t) => t.throughput?.lost), 0),
      formatNumber(medianOf(tries, (t) => t.throughput?.udpSessions), 0),
      killed === 0 ? "never" : `${killed} of ${tries.length} times`,
    ]);
  });
  return [formatRow(["cgroup", ...LIMIT_COLUMNS]), formatRule(LIMIT_COLUMNS.length), ...rows].join("\n");
}

/** A row for each number of workers, medians. */
export function formatWorkers(samples: ReadonlyMap<number, readonly WorkerCost[]>): string {
  const rows = [...samples].map(([workers, costs]) =>
    formatRow([
      `${workers}`,
      formatNumber(inUnits(median(costs.map(({ resident }) => resident)), MIB), 1),
      formatNumber(inUnits(median(costs.map(({ anonymous }) => anonymous)), MIB), 1),
    ])
  );
  return [formatRow(["workers, idle", "RSS, MiB", "anonymous"]), formatRule(2), ...rows].join("\n");
}

function medianOf(
  results: readonly LimitResult[],
  pick: (result: LimitResult) => number | undefined,
): number | undefined {
  return median(results.map(pick).filter((value) => value !== undefined));
}

function inUnits(value: number | undefined, unit: number): number | undefined {
  return value === undefined ? undefined : value / unit;
}
