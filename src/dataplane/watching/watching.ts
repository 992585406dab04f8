/**
 * Takes what the kernel holds of watched streams, and has it judged.
 * @module
 */
import { EAGAIN, EPOLLIN } from "../../../ffi/consts.ts";
import { WATCH_PREFIX } from "../../constants.ts";
import { ENOENT, errnoCode } from "../../net/errno.ts";
import { LogReader } from "../asking/log_reader.ts";
import type { WorkerContext } from "../context.ts";
import type { Service } from "../loop/service.ts";
import { Throttle } from "../loop/throttle.ts";
import type { WatchSockets } from "../orders.ts";
import { COUNTER } from "../shared/state.ts";
import type { Judge } from "./judge.ts";
import { HeldQueue } from "./queue/held_queue.ts";
import type { Resender } from "./resender.ts";
import { Segment } from "./segment.ts";
import { type Fate, Watcher } from "./watcher.ts";

const BEGIN = WATCH_PREFIX.begin.charCodeAt(0);
const REUSED = WATCH_PREFIX.reused.charCodeAt(0);
const REDIRECTED = WATCH_PREFIX.redirected.charCodeAt(0);
const COUNTER_OF = {
  passed: COUNTER.watchPassed,
  released: COUNTER.watchReleased,
  refused: COUNTER.watchRefused,
  dropped: COUNTER.watchDropped,
} as const satisfies Record<Fate, number>;

/** Keys of the two sockets in the loop. */
const LOG = 0;
const QUEUE = 1;

/** The memory of watching: 3 MB for each worker, which most configs never need. */
class Memory {
  readonly reader: LogReader;
  readonly resender: Resender;
  readonly queue: HeldQueue | null;
  readonly segment = new Segment();
  readonly watcher: Watcher;

  constructor({ log, queue }: WatchSockets, resender: Resender, judge: Judge) {
    this.reader = new LogReader(log);
    this.resender = resender;
    this.queue = queue === null ? null : new HeldQueue(queue, this.resender);
    this.watcher = new Watcher(judge);
  }
}

/** A worker's watching. */
export class Watching implements Service {
  readonly #context: WorkerContext;
  readonly #sockets: WatchSockets;
  readonly #resender: Resender;
  readonly #judge: Judge;
  readonly #failures: Throttle;
  /** Made when the kernel holds something for the first time. */
  #memory: Memory | null = null;
  #lost = 0;

  /** The sockets are the main thread's to close. */
  constructor(context: WorkerContext, sockets: WatchSockets, resender: Resender, judge: Judge) {
    this.#context = context;
    this.#sockets = sockets;
    this.#resender = resender;
    this.#judge = judge;
    this.#failures = new Throttle(context.clock);
  }

  /** See {@linkcode Service}. */
  start(): number {
    const { loop } = this.#context;
    const { log, queue } = this.#sockets;
    const returned = loop.watch(this, log, EPOLLIN, LOG, 0);
    return returned < 0 || queue === null ? returned : loop.watch(this, queue.fd, EPOLLIN, QUEUE, 0);
  }

  /** Takes what has come; the rest of a flood in the next turn. */
  event(key: number): void {
    const memory = this.#remember();
    const { reader, watcher, queue } = memory;
    // A stream begins in the group, before what is held of it: that is read first.
    do {
      const received = reader.receive();
      this.#check(received);
      while (reader.next()) this.#take(memory);
      if (received <= 0) break;
    } while (key === QUEUE);
    if (key === QUEUE && queue !== null) {
      this.#check(queue.receive());
      while (queue.next()) this.#takeQueued(memory, queue);
      const sent = queue.flush();
      if (sent < 0) this.#fail("cannot send on what was held", sent);
    }
    const { counters } = this.#context;
    counters[COUNTER.watchDropped] += reader.lost - this.#lost;
    this.#lost = reader.lost;
    const { failure } = watcher;
    if (failure === 0) return;
    this.#fail("cannot send on what was held", failure);
    watcher.failure = 0;
  }

  #remember(): Memory {
    return this.#memory ??= new Memory(this.#sockets, this.#resender, this.#judge);
  }

  #take({ reader, resender, segment, watcher }: Memory): void {
    const { memory, message } = reader;
    const { counters } = this.#context;
    if (!segment.read(memory, message, reader.lowOf(message.payload))) {
      counters[COUNTER.watchDropped]++;
    } else if (message.prefix === BEGIN) {
      counters[COUNTER.watched]++;
      if (segment.isSyn) watcher.begin(segment);
    } else if (message.prefix === REUSED) {
      counters[COUNTER.watchDropped]++;
      const returned = resender.forget(segment);
      if (returned < 0 && returned !== -ENOENT) this.#fail("cannot have conntrack forget a flow", returned);
    } else {
      segment.isRedirected = message.prefix === REDIRECTED;
      counters[COUNTER_OF[watcher.take(segment, resender)]]++;
    }
  }

  #takeQueued({ segment, watcher }: Memory, queue: HeldQueue): void {
    const isSegment = segment.read(queue.memory, queue.message, queue.low);
    segment.isRedirected = true; // a queue does not tell
    const fate = isSegment ? watcher.take(segment, queue) : "dropped";
    if (fate === "dropped") queue.drop();
    this.#context.counters[COUNTER_OF[fate]]++;
  }

  #check(received: number): void {
    if (received < 0 && received !== -EAGAIN) this.#fail("cannot read what the kernel holds", received);
  }

  #fail(what: string, returned: number): void {
    if (this.#failures.allows()) this.#context.log.warn(what, { error: errnoCode(-returned) });
  }

  /** See {@linkcode Service}. */
  turn(): void {}

  /** See {@linkcode Service}. */
  timeout(): number {
    return -1;
  }

  /** Leaves what the kernel holds to another process. {@linkcode start} takes it back. */
  leave(): void {
    const { log, queue } = this.#sockets;
    this.#context.loop.unwatch(log);
    if (queue !== null) this.#context.loop.unwatch(queue.fd);
  }

  /** Describes what it has heard of streams for that process. */
  give(): Int32Array {
    return this.#memory?.watcher.give() ?? new Int32Array(0);
  }

  /** Goes on with what another process has heard. */
  inherit(rows: Int32Array): void {
    if (rows.length > 0) this.#remember().watcher.inherit(rows);
  }

  /** Goes on: streams that began before are held until the rules are gone. */
  drain(): void {}

  /** See {@linkcode Service}. */
  idle(): boolean {
    return true;
  }

  /** See {@linkcode Service}. */
  close(): void {}
}
