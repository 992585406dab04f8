/**
 * The worker's ear for the main thread: an eventfd that ends its sleep.
 * @module
 */
import { EPOLLIN } from "../../ffi/consts.ts";
import { drainEventFd } from "../../ffi/epoll.ts";
import type { WorkerContext } from "./context.ts";
import type { Service } from "./loop/service.ts";

/** The service. The descriptor is the main thread's to close. */
export class Wake implements Service {
  readonly #context: WorkerContext;
  readonly #fd: number;

  constructor(context: WorkerContext, fd: number) {
    this.#context = context;
    this.#fd = fd;
  }

  /** See {@linkcode Service}. */
  start(): number {
    return this.#context.loop.watch(this, this.#fd, EPOLLIN, 0, 0);
  }

  /** See {@linkcode Service}. */
  event(): void {
    drainEventFd(this.#fd);
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
