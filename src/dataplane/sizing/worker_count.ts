/**
 * Number of workers. Pure.
 * @module
 */
import type { Demand } from "./limits.ts";
import type { MemoryLimit } from "./memory_limit.ts";

/**
 * With less memory there is one worker: bytes. A MB is a million of them: of what a machine is sold with, its
 * kernel keeps some.
 */
export const ONE_WORKER_BELOW = 384e6;
/** With less memory there are at most two: bytes. */
export const TWO_WORKERS_BELOW = 1000e6;

/**
 * Connections of a worker, at least: it makes room only among its own, and with fewer it may have none of the
 * client that has most of all.
 */
export const LEAST_CONNECTIONS = 16;

/** Means of a machine, and what is asked of them. */
export interface Means {
  /** Processors that this process may use. */
  readonly processors: number;
  /** undefined: unknown, so it sets no bound. */
  readonly memory: MemoryLimit | undefined;
  readonly connections: Demand["connections"];
}

/** A number of workers, and why it is that. */
export interface WorkerCount {
  readonly workers: number;
  /** For a log line or a report: `listener.workers`, `2 processors` or `memory of the cgroup: 256 MiB`. */
  readonly reason: string;
}

/**
 * `listener.workers`; `auto` is one for each processor, but one below 384 MB of memory and at most two below
 * 1 GB. Never more than `limits.connections` has work for.
 */
export function countWorkers(wanted: "auto" | number, means: Means): WorkerCount {
  const count = countFor(wanted, means);
  const { connections } = means;
  if (typeof connections !== "number" || connections === 0) return count;
  const most = Math.max(1, Math.floor(connections / LEAST_CONNECTIONS));
  return count.workers <= most ? count : { workers: most, reason: `limits.connections: ${connections}` };
}

function countFor(wanted: "auto" | number, { processors, memory }: Means): WorkerCount {
  if (wanted !== "auto") return { workers: wanted, reason: "listener.workers" };
  const bound = workersForMemory(memory?.bytes ?? Infinity);
  if (memory === undefined || processors <= bound) {
    return { workers: processors, reason: processors === 1 ? "1 processor" : `${processors} processors` };
  }
  return { workers: bound, reason: `memory of the ${memory.of}: ${formatMebibytes(memory.bytes)}` };
}

/** At most so many workers for so many bytes of memory. */
function workersForMemory(bytes: number): number {
  if (bytes < ONE_WORKER_BELOW) return 1;
  return bytes < TWO_WORKERS_BELOW ? 2 : Infinity;
}

/** Bytes for reading, in the unit of `free -m` and of cgroups: `256 MiB`. */
export function formatMebibytes(bytes: number): string {
  return `${Math.floor(bytes / 2 ** 20)} MiB`;
}
