/**
 * The beginning of the orders' way, in the main thread.
 * @module
 */
import { signalEventFd } from "../../../ffi/epoll.ts";
import type { Order } from "../orders.ts";

/** A channel to one worker. */
export class OrderChannel {
  /** To be transferred to the worker. */
  readonly port: MessagePort;
  readonly #own: MessagePort;
  readonly #wakeFd: number;

  /** `wakeFd`: the eventfd that wakes the worker. */
  constructor(wakeFd: number) {
    const { port1, port2 } = new MessageChannel();
    this.port = port2;
    this.#own = port1;
    this.#wakeFd = wakeFd;
  }

  /** Gives an order. */
  give(order: Order): void {
    this.#own.postMessage(order);
    signalEventFd(this.#wakeFd);
  }

  /** Closes it: the worker has ended. */
  close(): void {
    this.#own.close();
  }
}
