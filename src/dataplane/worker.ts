/**
 * A worker thread's entry: waits for its orders, then blocks in its loop.
 * @module
 */
import type { WorkerMessage, WorkerOptions } from "./orders.ts";
import { SharedState } from "./shared/state.ts";
import { createWorkerLogger } from "./worker_log.ts";
import { runWorkerLoop } from "./worker_loop.ts";

/** The part of a worker's global scope that is used. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<WorkerOptions>) => void) | null;
  postMessage(message: WorkerMessage): void;
  close(): void;
}

const scope = globalThis as unknown as WorkerScope;
const post = (message: WorkerMessage) => scope.postMessage(message);

scope.onmessage = ({ data }) => {
  const shared = new SharedState(data.shared);
  const log = createWorkerLogger({ level: data.logLevel, worker: data.index, shared, post });
  let reason: string | null;
  try {
    reason = runWorkerLoop(data, log, () => post({ kind: "ready" }));
  } catch (error) {
    reason = error instanceof Error ? error.stack ?? error.message : String(error);
  }
  post(reason === null ? { kind: "stopped" } : { kind: "failed", reason });
  scope.close();
};
