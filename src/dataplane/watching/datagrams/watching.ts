/**
 * Takes datagrams that the kernel holds of watched flows, and has them decided on.
 * @module
 */
import { EAGAIN, EPOLLIN } from "../../../../ffi/consts.ts";
import { errnoCode } from "../../../net/errno.ts";
import type { WorkerContext } from "../../context.ts";
import type { Service } from "../../loop/service.ts";
import { Throttle } from "../../loop/throttle.ts";
import type { WatchSockets } from "../../orders.ts";
import { COUNTER } from "../../shared/state.ts";
import { QuestionReader } from "../../asking/reader.ts";
import { RawSender, type SenderParts } from "./sender.ts";
import { DatagramWatcher } from "./watcher.ts";

/** The memory of watching: 4 MB for each worker, which most configs never need. */
class Memory {
  readonly reader: QuestionReader;
  readonly watcher: DatagramWatcher;

  constructor(context: WorkerContext, { datagrams }: WatchSockets, parts: SenderParts) {
    this.reader = new QuestionReader(datagrams);
    this.watcher = new DatagramWatcher(context, new RawSender(parts));
  }
}

/** A worker's watching of UDP. */
export class DatagramWatching implements Service {
  readonly #context: WorkerContext;
  readonly #sockets: WatchSockets;
  readonly #parts: SenderParts;
  readonly #failures: Throttle;
  /** Made when the kernel holds something for the first time. */
  #memory: Memory | null = null;
  #lost = 0;

  /** The sockets are the main thread's to close. */
  constructor(context: WorkerContext, sockets: WatchSockets, parts: SenderParts) {
    this.#context = context;
    this.#sockets = sockets;
    this.#parts = parts;
    this.#failures = new Throttle(context.clock);
  }

  /** See {@linkcode Service}. */
  start(): number {
    return this.#context.loop.watch(this, this.#sockets.datagrams, EPOLLIN, 0, 0);
  }

  /** Takes what has come; the rest of a flood in the next turn. */
  event(): void {
    const memory = this.#memory ??= new Memory(this.#context, this.#sockets, this.#parts);
    const { reader, watcher } = memory;
    const received = reader.receive();
    if (received < 0 && received !== -EAGAIN) this.#fail("cannot read what the kernel holds", received);
    while (reader.next()) watcher.take(reader.question);
    this.#context.counters[COUNTER.watchDropped] += reader.lost - this.#lost;
    this.#lost = reader.lost;
  }

  #fail(what: string, returned: number): void {
    if (this.#failures.allows()) this.#context.log.warn(what, { error: errnoCode(-returned) });
  }

  /** See {@linkcode Service}. */
  turn(): void {
    const watcher = this.#memory?.watcher;
    if (watcher === undefined) return;
    watcher.turn();
    if (watcher.failure === 0) return;
    this.#fail("cannot send on what was held", watcher.failure);
    watcher.failure = 0;
  }

  /** See {@linkcode Service}. */
  timeout(): number {
    return this.#memory?.watcher.timeout() ?? -1;
  }

  /**
   * Leaves what the kernel holds to another process, and forgets what waits here. {@linkcode start} takes it
   * back.
   */
  leave(): void {
    this.#context.loop.unwatch(this.#sockets.datagrams);
    this.#memory?.watcher.forsake();
  }

  /** Goes on: flows that wait have to be decided on. */
  drain(): void {}

  /** See {@linkcode Service}. */
  idle(): boolean {
    return this.timeout() < 0;
  }

  /** See {@linkcode Service}. */
  close(): void {}
}
