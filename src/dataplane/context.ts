/**
 * What all parts of a worker have in common.
 * @module
 */
import type { Logger } from "../log.ts";
import type { Clock } from "./loop/clock.ts";
import { Loop } from "./loop/loop.ts";
import type { Settings } from "./settings.ts";
import type { SharedState } from "./shared/state.ts";

/** One object for each worker, which every service is given. */
export interface WorkerContext {
  readonly loop: Loop;
  readonly clock: Clock;
  readonly log: Logger;
  /** The worker's number. */
  readonly index: number;
  readonly shared: SharedState;
  /** The worker's own row of the shared counters. */
  readonly counters: Float64Array<SharedArrayBuffer>;
  /** Those in force: replaced between two turns, never changed. */
  settings: Settings;
}

/** The context of a worker that is about to start. */
export function makeContext(
  { index, shared, log, settings }: Pick<WorkerContext, "index" | "shared" | "log" | "settings">,
): WorkerContext {
  const loop = new Loop();
  return { loop, clock: loop.clock, log, index, shared, counters: shared.row(index), settings };
}
