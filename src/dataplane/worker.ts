/**
 * A worker thread's entry: waits for its first message, then blocks in its loop.
 * @module
 */
import type { WorkerMessage, WorkerStart } from "./orders.ts";
import { SharedState } from "./shared/state.ts";
import { createWorkerLogger } from "./worker_log.ts";
import { runWorkerLoop } from "./worker_loop.ts";

/** The first message. */
interface FirstMessage {
  readonly start: WorkerStart;
  readonly port: MessagePort;
}

/** The part of a worker's global scope that is used. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<FirstMessage>) => void) | null;
  postMessage(message: WorkerMessage): void;
  close(): void;
}

const scope = globalThis as unknown as WorkerScope;
const post = (message: WorkerMessage) => scope.postMessage(message);

scope.onmessage = ({ data: { start, port } }) => {
  const { parts: { index, memory }, adoption: { settings } } = start;
  const shared = new SharedState(memory.state, index);
  const log = createWorkerLogger({ level: settings.logLevel, worker: index, shared, post });
  let reason: string | null;
  try {
    reason = runWorkerLoop(start, { port, log, post });
  } catch (error) {
    reason = error instanceof Error ? error.stack ?? error.message : String(error);
  }
  post(reason === null ? { kind: "stopped" } : { kind: "failed", reason });
  scope.close();
};
post({ kind: "loaded" });
