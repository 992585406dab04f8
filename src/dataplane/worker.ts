/**
 * A worker thread's entry: blocks in the worker's loop from the first message on, and leaves it for each
 * other.
 * @module
 */
import { useNetlinkServer } from "../netlink/served/server.ts";
import type { WorkerMessage, WorkerRequest, WorkerStart } from "./orders.ts";
import { SharedState } from "./shared/state.ts";
import { createWorkerLogger } from "./worker_log.ts";
import { WorkerLife } from "./worker_loop.ts";

/** The part of a worker's global scope that is used. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<WorkerRequest>) => void) | null;
  postMessage(message: WorkerMessage): void;
  close(): void;
}

const scope = globalThis as unknown as WorkerScope;
const post = (message: WorkerMessage) => scope.postMessage(message);
let life: WorkerLife | undefined;

scope.onmessage = ({ data }) => {
  try {
    switch (data.kind) {
      case "start":
        life = begin(data.start);
        break;
      case "inherit":
        life!.inherit(data.estate);
        break;
      case "begin":
        life!.begin();
        break;
      default:
        life!.take(data);
    }
    const end = life!.run();
    if (end !== null) leave(end.failure);
  } catch (error) {
    leave(error instanceof Error ? error.stack ?? error.message : String(error));
  }
};

function begin(start: WorkerStart): WorkerLife {
  const { parts: { index, memory, netlink }, adoption: { settings } } = start;
  useNetlinkServer(netlink);
  const shared = new SharedState(memory.state, index);
  const log = createWorkerLogger({ level: settings.logLevel, worker: index, shared, post });
  return new WorkerLife(start, { log, post });
}

function leave(failure: string | null): void {
  scope.onmessage = null;
  post(failure === null ? { kind: "stopped" } : { kind: "failed", reason: failure });
  scope.close();
}
