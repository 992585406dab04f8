/**
 * The end of the orders' way, in a thread that never returns to its event loop: a port that is read when an
 * eventfd says so. Only workers load node:worker_threads: it costs 1.7 MB each.
 * @module
 */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { EPOLLIN } from "../../ffi/consts.ts";
import { drainEventFd } from "../../ffi/epoll.ts";
import type { WorkerContext } from "./context.ts";
import type { Service } from "./loop/service.ts";
import type { Order } from "./orders.ts";

/** Parts of a box. */
export interface OrderBoxParts {
  readonly port: globalThis.MessagePort;
  /** The descriptor is the main thread's to close. */
  readonly wakeFd: number;
  /** Does what the order says. */
  readonly obey: (order: Order) => void;
}

/**
 * The worker's end. It is the last service of the loop: orders are obeyed when the turn of all others is
 * over.
 */
export class OrderBox implements Service {
  readonly #context: WorkerContext;
  readonly #parts: OrderBoxParts;
  #woken = false;

  constructor(context: WorkerContext, parts: OrderBoxParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** See {@linkcode Service}. */
  start(): number {
    return this.#context.loop.watch(this, this.#parts.wakeFd, EPOLLIN, 0, 0);
  }

  /** Notes that there may be orders. The watchdog wakes a worker without any. */
  event(): void {
    drainEventFd(this.#parts.wakeFd);
    this.#woken = true;
  }

  /** Obeys all orders that have come. */
  turn(): void {
    if (!this.#woken) return;
    this.#woken = false;
    const { obey } = this.#parts;
    const port = this.#parts.port as unknown as MessagePort; // Deno's are the same
    for (
      let received = receiveMessageOnPort(port);
      received !== undefined;
      received = receiveMessageOnPort(port)
    ) obey(received.message as Order);
  }

  /** See {@linkcode Service}. */
  timeout(): number {
    return -1;
  }

  /** See {@linkcode Service}. */
  drain(): void {}

  /** See {@linkcode Service}. */
  idle(): boolean {
    return true;
  }

  /** See {@linkcode Service}. */
  close(): void {
    this.#parts.port.close();
  }
}
