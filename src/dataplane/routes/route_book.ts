/**
 * The ways by which the router would have forwarded flows: what is dialled leaves by them.
 * @module
 */
import type { Answer } from "../asking/answer.ts";
import type { WorkerContext } from "../context.ts";
import type { Sockaddr } from "../upstream/upstream.ts";

/** A worker's book. */
export class RouteBook {
  readonly #context: WorkerContext;

  constructor(context: WorkerContext) {
    this.#context = context;
  }

  /**
   * Makes a socket leave by the way that the answer names, before bind(2) and connect(2); its SO_MARK is set
   * already. `client`: the original one. 0, or -errno. No system call where routing is simple.
   */
  prepare(_fd: number, _client: Sockaddr, _answer: Answer): number {
    if (this.#context.shared.routes.generation === 0) return 0;
    return 0;
  }

  /** Closes what it asks through. */
  close(): void {}
}
