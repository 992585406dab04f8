/**
 * A worker without a thread of its own: the test's thread runs it to its end.
 * @module
 */
import { closeFd } from "../../../../ffi/sockets/socket.ts";
import { openEventFd } from "../../../../ffi/epoll.ts";
import type { ListenerHandle, Order, WorkerMessage } from "../../../../src/dataplane/orders.ts";
import type { Settings } from "../../../../src/dataplane/settings.ts";
import { Books } from "../../../../src/dataplane/shared/books.ts";
import { allocateMemory } from "../../../../src/dataplane/shared/memory.ts";
import { createWorkerLogger } from "../../../../src/dataplane/worker_log.ts";
import { type WorkerEnd, WorkerLife } from "../../../../src/dataplane/worker_loop.ts";
import { check } from "../../../../src/net/error.ts";

/** Parts and orders of the worker. */
export interface LoneWorkerOptions {
  readonly listeners: readonly ListenerHandle[];
  readonly settings: Settings;
  /** Orders that wait for it when it starts. */
  readonly orders: readonly Order[];
}

/** End of the worker. */
export interface LoneWorkerEnd {
  /** Reason of its failure, or null. */
  readonly reason: string | null;
  /** Messages to the main thread. */
  readonly messages: readonly WorkerMessage[];
  readonly books: Books;
}

/** Runs a worker until its orders have ended it. Throws what it throws. */
export function runLoneWorker({ listeners, settings, orders }: LoneWorkerOptions): LoneWorkerEnd {
  const memory = allocateMemory({ workers: 1, connections: 100, udpSessions: 100 });
  const books = new Books(memory);
  const totals = books.begin({ generation: 1, rules: [], otherwise: "default" });
  const wakeFd = check(openEventFd(), "eventfd");
  const messages: WorkerMessage[] = [];
  const post = (message: WorkerMessage) => void messages.push(message);
  const log = createWorkerLogger({ level: settings.logLevel, worker: 0, shared: books.state, post });
  orders.forEach(() => books.state.countOrder(0));
  try {
    const parts = {
      index: 0,
      memory,
      listeners,
      udp: null,
      wakeFd,
      netlink: -1,
      upstreamMark: 0,
      asking: null,
      pipes: { limit: 10, size: 65536 },
    };
    const start = { parts, adoption: { number: 1, settings, policy: null, totals } };
    const life = new WorkerLife(start, { log, post });
    const posted = [...orders];
    let end: WorkerEnd | null;
    while ((end = life.run()) === null) life.take(posted.shift()!);
    return { reason: end.failure, messages, books };
  } finally {
    closeFd(wakeFd);
  }
}
