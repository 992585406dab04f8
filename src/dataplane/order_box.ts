/**
 * The end of the orders' way, in a thread that blocks in its loop: shared memory says how many were posted,
 * an eventfd wakes the loop. The loop is left for each, so that the thread's own event loop delivers it.
 * (receiveMessageOnPort of node:worker_threads would do without, for 1.8 MB of memory a worker.)
 * @module
 */
import { EPOLLIN } from "../../ffi/consts.ts";
import { drainEventFd } from "../../ffi/epoll.ts";
import type { WorkerContext } from "./context.ts";
import type { Service } from "./loop/service.ts";

/** The worker's end. */
export class OrderBox implements Service {
  readonly #context: WorkerContext;
  readonly #wakeFd: number;
  /** The number of orders that were delivered. */
  #taken = 0;

  /** `wakeFd`: the descriptor is the main thread's to close. */
  constructor(context: WorkerContext, wakeFd: number) {
    this.#context = context;
    this.#wakeFd = wakeFd;
  }

  /** Tells whether an order was posted that was not delivered yet. */
  get waits(): boolean {
    return this.#context.shared.orders !== this.#taken;
  }

  /** Takes note of an order that was delivered. */
  take(): void {
    this.#taken = (this.#taken + 1) | 0; // as the shared word counts
  }

  /** See {@linkcode Service}. */
  start(): number {
    return this.#context.loop.watch(this, this.#wakeFd, EPOLLIN, 0, 0);
  }

  /** Ends the sleep. The watchdog wakes a worker without any order. */
  event(): void {
    drainEventFd(this.#wakeFd);
  }

  /** See {@linkcode Service}. */
  turn(): void {}

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
  close(): void {}
}
