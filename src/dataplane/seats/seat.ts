/**
 * A worker's seat: its listeners and its books stay, threads come and go.
 * @module
 */
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { resetOnClose } from "../../../ffi/sockets/sockopt.ts";
import type { Logger } from "../../log.ts";
import { OperationError } from "../../net/error.ts";
import { type GivenConnections, NO_CONNECTIONS } from "../handover/connections.ts";
import type { WorkerEstate } from "../handover/estate.ts";
import type { Crashes } from "./crashes.ts";
import type { Adoption, Order, UpstreamAddresses, WorkerParts } from "../orders.ts";
import { salvage } from "./salvage.ts";
import type { Books } from "../shared/books.ts";
import { startThread, type Thread } from "./thread.ts";

/** The common part of all seats of a data plane. */
export interface House {
  /** The module of a worker. */
  readonly url: URL;
  readonly log: Logger;
  readonly books: Books;
  readonly crashes: Crashes;
  /** Called when a worker has failed and another takes its place. */
  readonly replaced: () => void;
  /** The adoption in force; it changes. */
  adoption: Adoption;
}

/** A seat. */
export class Seat {
  readonly #parts: WorkerParts;
  readonly #house: House;
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #waiting: { readonly number: number; readonly resolve: () => void }[] = [];
  readonly #prepared = Promise.withResolvers<void>();
  readonly #inherited = Promise.withResolvers<void>();
  /** Of a handover that is under way. */
  #quiet = Promise.withResolvers<void>();
  #given = Promise.withResolvers<WorkerEstate>();
  #parked = Promise.withResolvers<GivenConnections>();
  #parted = Promise.withResolvers<void>();
  /** Descriptors of connections that are parked; and those that a thread has left open which has failed. */
  #parkedFds: readonly number[] = [];
  #orphans: readonly number[] = [];
  #thread: Thread;
  /** The adoption that the thread has taken. */
  #taken = 0;
  #isReady = false;
  /** The worker was told to end: nobody takes its place any more. */
  #ending = false;
  #over = false;

  /** `awaits`: another process reads its sockets until {@linkcode begin}. */
  constructor(parts: WorkerParts, house: House, awaits = false) {
    this.#parts = parts;
    this.#house = house;
    this.#thread = this.#start(awaits);
    this.#ended.promise.catch(() => {}); // told to whoever waits for it
  }

  /** Resolves when the first thread listens. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /**
   * Resolves when the worker has ended as it was told; rejects when it has failed and nobody takes its place.
   */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** The worker has ended. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Has the worker take what is in force now. Resolves when it has, or has ended. */
  adopt(): Promise<void> {
    const { adoption } = this.#house;
    this.#thread.give({ kind: "adopt", adoption });
    return new Promise((resolve) => {
      this.#waiting.push({ number: adoption.number, resolve });
      this.#wakeWaiting();
    });
  }

  /** Tells the worker the addresses of an upstream. */
  tellAddresses(order: UpstreamAddresses): void {
    this.#thread.give(order);
  }

  /** Ends sessions of this worker with a reset. */
  close(sessions: Extract<Order, { kind: "close" }>["sessions"]): void {
    this.#thread.give({ kind: "close", sessions });
  }

  /** Has the worker take no question any more. Resolves when nobody waits to be accepted. */
  quiet(): Promise<void> {
    this.#quiet = Promise.withResolvers();
    this.#thread.give({ kind: "giving", step: "quiet" });
    return this.#quiet.promise;
  }

  /** Has the worker read nothing more that another process is to read. Resolves with what that is told. */
  giveEstate(): Promise<WorkerEstate> {
    this.#given = Promise.withResolvers();
    this.#thread.give({ kind: "giving", step: "give" });
    return this.#given.promise;
  }

  /** Ends a handover. */
  endGiving(step: "take-back" | "let-go"): void {
    this.#thread.give({ kind: "giving", step });
  }

  /** Has the worker leave some connections alone. Resolves with them; none: it has none to give. */
  park(): Promise<GivenConnections> {
    if (this.#over) return Promise.resolve(NO_CONNECTIONS);
    this.#parked = Promise.withResolvers();
    this.#thread.give({ kind: "giving", step: "park" });
    return this.#parked.promise;
  }

  /** Has the worker go on with them. Where it has failed meanwhile they are reset. */
  unpark(): void {
    for (const fd of this.#takeOrphans()) {
      resetOnClose(fd);
      closeFd(fd);
    }
    this.#thread.give({ kind: "giving", step: "unpark" });
  }

  /** Has the worker know them no longer. Resolves when it does not, and its sockets are closed. */
  part(): Promise<void> {
    for (const fd of this.#takeOrphans()) closeFd(fd);
    if (this.#over) return Promise.resolve();
    this.#parted = Promise.withResolvers();
    this.#thread.give({ kind: "giving", step: "part" });
    return this.#parted.promise;
  }

  /** Lists, once, what a failed thread has left; one that lives closes its own. */
  #takeOrphans(): readonly number[] {
    const orphans = this.#orphans;
    this.#orphans = this.#parkedFds = [];
    return orphans;
  }

  /** Has the worker take over connections that another process has parted with. */
  take(connections: GivenConnections): void {
    this.#thread.give({ kind: "take", connections });
  }

  /** Resolves when the worker, which awaits its begin, could begin. */
  get prepared(): Promise<void> {
    return this.#prepared.promise;
  }

  /** Gives the worker what another process has given. Resolves when it has taken it over. */
  inherit(estate: WorkerEstate): Promise<void> {
    this.#thread.prepare({ kind: "inherit", estate });
    return this.#inherited.promise;
  }

  /** Has the worker begin. */
  begin(): void {
    this.#thread.prepare({ kind: "begin" });
  }

  /** Tells the worker to end. */
  end(kind: "drain" | "stop"): void {
    this.#ending = true;
    this.#thread.give({ kind });
  }

  #start(awaits = false): Thread {
    const { url, log, books, adoption } = this.#house;
    return startThread({
      url,
      start: { parts: this.#parts, adoption, awaits },
      log,
      shared: books.state,
      report: {
        ready: () => {
          this.#isReady = true;
          this.#ready.resolve();
          this.#take(adoption.number);
        },
        prepared: () => this.#prepared.resolve(),
        inherited: () => this.#inherited.resolve(),
        quiet: () => this.#quiet.resolve(),
        given: (estate) => this.#given.resolve(estate),
        parked: (connections) => {
          this.#parkedFds = connections.fds;
          this.#parked.resolve(connections);
        },
        parted: () => this.#parted.resolve(),
        adopted: (number) => this.#take(number),
        stopped: () => this.#finish(() => this.#ended.resolve()),
        failed: (reason) => this.#failed(reason),
      },
    });
  }

  #take(number: number): void {
    this.#taken = Math.max(this.#taken, number);
    this.#wakeWaiting();
  }

  #wakeWaiting(): void {
    const done = this.#waiting.filter(({ number }) => this.#over || number <= this.#taken);
    this.#waiting = this.#waiting.filter((waiting) => !done.includes(waiting));
    for (const { resolve } of done) resolve();
  }

  #failed(reason: string): void {
    const { log, books, crashes, replaced } = this.#house;
    const { index, memory } = this.#parts;
    const lost = salvage(index, memory.ledgers[index], books);
    this.#orphans = this.#parkedFds;
    if (this.#isReady && !this.#ending && crashes.bears(performance.now())) {
      log.error("a worker has failed; another takes its place", {
        worker: index,
        "connections-lost": lost.connections,
        "udp-sessions-lost": lost.udpSessions,
        reason,
      });
      this.#thread = this.#start();
      replaced();
      return;
    }
    const error = new OperationError({ operation: "run worker", object: String(index), reason });
    this.#finish(() => this.#ended.reject(error));
  }

  #finish(tell: () => void): void {
    this.#over = true;
    this.#parked.resolve(NO_CONNECTIONS);
    this.#parted.resolve();
    tell();
    this.#wakeWaiting();
  }
}
