/**
 * A worker's thread, as the main thread sees it.
 * @module
 */
import type { Logger } from "../../log.ts";
import type { Order, WorkerMessage, WorkerStart } from "../orders.ts";
import { OrderChannel } from "./order_channel.ts";
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
  // A port that is posted to a thread which does not load is lost: it is made when the thread has.
  let channel: OrderChannel | undefined;
  const early: Order[] = [];
  let over = false;
  const worker = new Worker(options.url, { type: "module", name: `tproxy ${index}` });
  function end(tell: () => void): void {
    if (over) return;
    over = true;
    channel?.close();
    tell();
  }
  worker.onerror = (event) => {
    event.preventDefault();
    end(() => report.failed(event.message));
  };
  worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
    switch (data.kind) {
      case "loaded":
        channel = new OrderChannel(wakeFd);
        worker.postMessage({ start, port: channel.port }, [channel.port]);
        for (const order of early.splice(0)) channel.give(order);
        return;
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
  return {
    give(order) {
      if (over) return;
      if (channel === undefined) early.push(order);
      else channel.give(order);
    },
  };
}
