/**
 * A worker's thread, as the main thread sees it.
 * @module
 */
import type { Logger } from "../../log.ts";
import { signalEventFd } from "../../../ffi/epoll.ts";
import type { Order, WorkerMessage, WorkerRequest, WorkerStart } from "../orders.ts";
import type { SharedState } from "../shared/state.ts";

/** Report of events with a thread. After `stopped` or `failed` nothing more happens. */
export interface ThreadReport {
  /** Reports that it listens. */
  ready(): void;
  /** Reports that it has taken an adoption. */
  adopted(number: number): void;
  /** Reports that it has ended as it was told. */
  stopped(): void;
  /** Reports that it has ended otherwise. */
  failed(reason: string): void;
}

/** Options of a thread's start. */
export interface ThreadOptions {
  readonly url: URL;
  readonly start: WorkerStart;
  readonly log: Logger;
  readonly shared: SharedState;
  readonly report: ThreadReport;
}

/** Starts a thread. Returns how it is given orders. */
export function startThread(options: ThreadOptions): { give(order: Order): void } {
  const { start, log, shared, report } = options;
  const { index, wakeFd } = start.parts;
  let over = false;
  shared.forgetOrders(index);
  const worker = new Worker(options.url, { type: "module", name: `tproxy ${index}` });
  function end(tell: () => void): void {
    if (over) return;
    over = true;
    tell();
  }
  worker.onerror = (event) => {
    event.preventDefault();
    end(() => report.failed(event.message));
  };
  worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
    switch (data.kind) {
      case "ready":
        return report.ready();
      case "adopted":
        return report.adopted(data.number);
      case "stopped":
        return end(() => report.stopped());
      case "failed":
        return end(() => report.failed(data.reason));
      case "log":
        shared.addPendingLogs(-1);
        return log[data.level](data.message, data.fields);
      default:
        return data satisfies never;
    }
  };
  const post = (request: WorkerRequest) => worker.postMessage(request);
  post({ kind: "start", start });
  return {
    give(order) {
      if (over) return;
      post(order); // before it is counted: where it cannot be posted, the worker waits for none
      shared.countOrder(index);
      signalEventFd(wakeFd);
    },
  };
}
