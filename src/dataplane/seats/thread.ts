/**
 * A worker's thread, as the main thread sees it.
 * @module
 */
import type { Logger } from "../../log.ts";
import { signalEventFd } from "../../../ffi/epoll.ts";
import type { GivenConnections } from "../handover/connections.ts";
import type { WorkerEstate } from "../handover/estate.ts";
import type { Order, WorkerMessage, WorkerRequest, WorkerStart } from "../orders.ts";
import type { SharedState } from "../shared/state.ts";

/** Report of events with a thread. After `stopped` or `failed` nothing more happens. */
export interface ThreadReport {
  /** Reports that it listens. */
  ready(): void;
  /** Reports that it awaits its begin; and that it has taken over what it was given. */
  prepared(): void;
  inherited(): void;
  /** Reports, of a handover, that nobody waits to be accepted; and what it gives. */
  quiet(): void;
  given(estate: WorkerEstate): void;
  /** Reports that connections are left alone; and that they are no longer its own. */
  parked(connections: GivenConnections): void;
  parted(): void;
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

/** A thread. */
export interface Thread {
  give(order: Order): void;
  /** Of one that awaits its begin: see orders.ts. */
  prepare(request: Extract<WorkerRequest, { kind: "inherit" | "begin" }>): void;
}

/** Starts a thread. Returns how it is given orders. */
export function startThread(options: ThreadOptions): Thread {
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
      case "prepared":
        return report.prepared();
      case "inherited":
        return report.inherited();
      case "quiet":
        return report.quiet();
      case "given":
        return report.given(data.estate);
      case "parked":
        return report.parked(data.connections);
      case "parted":
        return report.parted();
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
    prepare: (request) => over || post(request),
  };
}
