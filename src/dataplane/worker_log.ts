/**
 * A worker's logger: lines go to the main thread, which writes them. A stalled log must neither stop the data
 * plane nor fill memory, so lines are dropped and counted while too many are under way.
 * @module
 */
import type { Logger, LogLevel } from "../log.ts";
import type { WorkerMessage } from "./orders.ts";
import { COUNTER, type SharedState } from "./shared/state.ts";

const MAX_PENDING = 1000;
const LEVELS: readonly LogLevel[] = ["error", "warn", "info", "debug"];

/** A worker's logger. */
export interface WorkerLogger extends Logger {
  /** Changes its level, from the next line on. */
  setLevel(level: LogLevel): void;
}

/** A logger that posts. The receiver subtracts each line from `shared`'s pending ones. */
export function createWorkerLogger(
  options: { level: LogLevel; worker: number; shared: SharedState; post: (message: WorkerMessage) => void },
): WorkerLogger {
  const { shared, post } = options;
  let { level } = options;
  let limit = LEVELS.indexOf(level);
  const counters = shared.row(options.worker);
  const enabled = (asked: LogLevel) => LEVELS.indexOf(asked) <= limit;
  function put(
    lineLevel: LogLevel,
    message: string,
    fields: Record<string, string | number | boolean> = {},
  ): void {
    if (!enabled(lineLevel)) return;
    if (shared.addPendingLogs(1) > MAX_PENDING) {
      shared.addPendingLogs(-1);
      counters[COUNTER.logsDropped]++;
      return;
    }
    post({ kind: "log", level: lineLevel, message, fields });
  }
  return {
    get level() {
      return level;
    },
    setLevel(next) {
      level = next;
      limit = LEVELS.indexOf(next);
    },
    enabled,
    error: (message, fields) => put("error", message, fields),
    warn: (message, fields) => put("warn", message, fields),
    info: (message, fields) => put("info", message, fields),
    debug: (message, fields) => put("debug", message, fields),
    flush: () => {},
  };
}
