/**
 * The UDP half of a worker: listeners, sessions, and the two ways through them.
 * @module
 */
import { EPOLLERR, EPOLLIN } from "../../../ffi/consts.ts";
import { ReceiveBatch } from "../../../ffi/sockets/receive_batch.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { CLIENT_PRIORITY } from "../../constants.ts";
import type { Injector } from "../asking/injector.ts";
import type { Question } from "../asking/question.ts";
import type { Asked } from "../asking/asked.ts";
import type { WorkerContext } from "../context.ts";
import { Decider } from "../decider.ts";
import { sooner } from "../loop/loop.ts";
import type { UdpEstate } from "../handover/estate.ts";
import type { Service } from "../loop/service.ts";
import { ticks } from "../loop/wheel.ts";
import type { ObedientSessions } from "../obey.ts";
import type { RawSockets, UdpSockets } from "../orders.ts";
import type { RouteBook } from "../routes/route_book.ts";
import type { WaitingRoom } from "../shared/waiting_room.ts";
import type { RouterTraffic } from "../sockets/own_addresses.ts";
import { WaitingAnswers } from "./asked/answers.ts";
import { UdpQuestions } from "./asked/questions.ts";
import { UdpDownlink } from "./downlink.ts";
import { type Given, type GivenParts, giveSessions } from "./estate/give.ts";
import { inheritSessions } from "./estate/inherit.ts";
import { unpackWaiting } from "./estate/waiting.ts";
import { UdpErrors } from "./errors.ts";
import { UdpFilter } from "./filter.ts";
import { UdpFlows } from "./flows/flows.ts";
import { HeldBytes, HeldQueue } from "./flows/held.ts";
import { UdpSessions } from "./sessions.ts";
import { UdpTable } from "./table.ts";
import { type UdpListener, UdpUplink } from "./uplink.ts";
import { Unreachable } from "./unreachable.ts";
import { Associations } from "./upstreams/associations.ts";
import { Links } from "./upstreams/links.ts";

const BATCH = 64;
/**
 * Milliseconds of the end: it waits for answers on their way until there was none for so long, but no longer
 * than the second.
 */
const LULL_MS = 200;
const MAX_LULL_MS = 1000;
/** Turns of a listener's queue that are read before it is given away: a flood would go on for ever. */
const MOST_RECEIVES = 16;

/** Parts of the service. */
export interface UdpParts {
  /** The listeners, which are closed at the end. */
  readonly sockets: UdpSockets;
  /** null where no client is a program on the router itself. */
  readonly router: RouterTraffic | null;
  /** null or nothing: flows come without having asked the router. */
  readonly asking?: UdpAskingParts | null;
}

/** Parts that it takes to answer questions. */
export interface UdpAskingParts {
  readonly room: WaitingRoom;
  readonly injector: Injector;
  readonly routes: RouteBook;
}

/** The UDP relay of a worker. */
export class UdpService implements Service, ObedientSessions, Asked {
  readonly #context: WorkerContext;
  readonly #listeners: UdpListener[];
  readonly #parts: GivenParts;
  readonly #rawSockets: readonly RawSockets[];
  readonly #table: UdpTable;
  readonly #sessions: UdpSessions;
  readonly #uplink: UdpUplink;
  readonly #downlink: UdpDownlink;
  readonly #errors: UdpErrors;
  readonly #links: Links;
  readonly #flows: UdpFlows;
  readonly #questions: UdpQuestions | null;
  /**
   * Sessions whose turn was over before their socket was empty; and the list of the turn before, to be used
   * again.
   */
  #queue: number[] = [];
  #spareQueue: number[] = [];
  #stoppedTick = -1;
  /** Given to another process, and not let go yet: nothing of it is read here. */
  #given: Given | null = null;
  /** Datagrams that have waited in another process, or that were to be given to one. */
  #waiting: HeldQueue[] = [];
  readonly #release = (queue: HeldQueue): void => this.#uplink.replay(queue);

  constructor(context: WorkerContext, { sockets, router, asking = null }: UdpParts) {
    this.#context = context;
    this.#listeners = sockets.listeners.map(({ fd, address }) => ({
      fd,
      words: new Int32Array(address.buffer),
    }));
    this.#rawSockets = [sockets.senders, sockets.errorSenders];
    const table = this.#table = new UdpTable(context.ledgers.udp);
    const filter = new UdpFilter(table);
    const decider = new Decider(context, router === null ? null : router.own);
    const held = new HeldBytes();
    const answers = asking === null ? null : new WaitingAnswers(asking.room);
    const unreachable = new Unreachable(context.clock, sockets.errorSenders);
    const mark = router === null ? 0 : router.mark;
    const links = new Links(context, { table, service: this, held, mark, unreachable });
    const sessions = new UdpSessions(context, {
      table,
      service: this,
      watcher: {
        closing(slot: number): void {
          filter.closing(slot);
          links.closing(slot);
        },
      },
      decider,
      router,
      answers,
      routes: asking === null ? null : asking.routes,
    });
    const errors = new UdpErrors(table, { ways: sessions.ways, unreachable });
    this.#questions = asking === null ? null : new UdpQuestions(context, {
      room: asking.room,
      injector: asking.injector,
      decider,
      senders: sockets.senders,
    });
    this.#sessions = sessions;
    this.#links = links;
    this.#flows = new UdpFlows(context, { table, sessions, decider, links, answers, router });
    this.#parts = { table, sessions, filter, flows: this.#flows, links };
    this.#errors = errors;
    this.#uplink = new UdpUplink(context, {
      table,
      sessions,
      batch: new ReceiveBatch(BATCH),
      watcher: filter,
      unreachable,
      errors,
      flows: this.#flows,
      links,
    });
    this.#downlink = new UdpDownlink(context, {
      table,
      sessions,
      batch: new ReceiveBatch(BATCH),
      filter,
      senders: sockets.senders,
      links,
      priority: asking === null ? 0 : CLIENT_PRIORITY,
    });
  }

  /** The number of live sessions. */
  get size(): number {
    return this.#table.size;
  }

  /** Begins to listen. The i-th listener's events carry key i and tag 0. 0 or -errno. */
  start(): number {
    for (let i = 0; i < this.#listeners.length; i++) {
      const returned = this.#context.loop.watch(this, this.#listeners[i].fd, EPOLLIN, i, 0);
      if (returned < 0) return returned;
    }
    return 0;
  }

  /** See {@linkcode Asked}. */
  asked(question: Question): void {
    this.#questions?.asked(question);
  }

  /** Takes no datagram from clients from now on, but for those that wait; answers still go to them. */
  drain(): void {
    for (const listener of this.#listeners) {
      while (!this.#uplink.receive(listener));
      closeFd(listener.fd);
    }
    this.#listeners.length = 0;
    this.#stoppedTick = this.#context.clock.tick;
  }

  /** An event of a listener, whose tag is 0, or of a session's socket. */
  event(key: number, tag: number, bits: number): void {
    if (Associations.owns(key)) return this.#links.associations.event(key, tag, bits);
    if (tag !== 0) return this.#sessionEvent(key, tag, bits);
    const listener = this.#listeners[key];
    if (listener !== undefined) this.#uplink.receive(listener);
  }

  /**
   * The end of a turn: what has been taken is sent, sessions with more to do get another turn, silent ones
   * end.
   */
  turn(): void {
    if (this.#given !== null) return this.#downlink.flush();
    if (this.#waiting.length > 0) { for (const queue of this.#waiting.splice(0)) this.#uplink.replay(queue); }
    if (this.#queue.length > 0) this.#continue();
    this.#flows.turn(this.#release);
    this.#downlink.flush();
    this.#sessions.turn();
    this.#questions?.turn();
  }

  /** Milliseconds that the worker may sleep, -1 for ever. */
  timeout(): number {
    if (this.#given !== null) return -1;
    if (this.#queue.length > 0 || this.#waiting.length > 0) return 0;
    if (this.#stoppedTick >= 0 && this.size > 0) return LULL_MS / 2;
    const own = sooner(this.#sessions.timeout(), this.#flows.timeout());
    return sooner(own, this.#questions?.timeout() ?? -1);
  }

  /** After {@linkcode drain}: whether the worker may end as far as UDP goes. */
  idle(): boolean {
    return this.size === 0 || this.#sessions.silentFor(LULL_MS) ||
      this.#context.clock.tick - this.#stoppedTick > ticks(MAX_LULL_MS);
  }

  /** See {@linkcode ObedientSessions}. */
  abort(slot: number, tag: number): void {
    this.#sessions.abort(slot, tag);
  }

  /**
   * See {@linkcode ObedientSessions}: timeouts are reckoned anew each turn. Ends a filter that is not wanted
   * any more.
   */
  retime(): void {
    if (!this.#context.settings.udp.filter) this.#table.filtered.fill(0);
  }

  /**
   * Stops reading, and describes the sessions for another process. All that has come until now is sent on;
   * what comes later waits in the sockets.
   */
  give(): UdpEstate {
    const { loop } = this.#context;
    for (const { fd } of this.#listeners) loop.unwatch(fd);
    for (const listener of this.#listeners) {
      for (let i = 0; i < MOST_RECEIVES && !this.#uplink.receive(listener); i++);
    }
    this.turn();
    const waiting = [...this.#flows.forsake(), ...this.#links.associations.forsake()];
    this.#given = giveSessions(this.#context, this.#parts, waiting);
    const { slots, connections, estate } = this.#given;
    for (const slot of slots) loop.unwatch(this.#table.fds[slot]);
    for (const fd of connections) loop.unwatch(fd);
    return estate;
  }

  /** Reads on: the other process has come to nothing. */
  takeBack(): void {
    const given = this.#given;
    this.#given = null;
    if (given === null) return;
    for (const slot of given.slots) this.#sessions.watchAgain(slot);
    for (const { session } of given.estate.links.filter(({ choice }) => choice >= 0)) {
      this.#links.associations.watchAgain(given.slots[session]);
    }
    this.#waiting = HeldQueue.of(unpackWaiting(given.estate.waiting));
    this.start();
  }

  /** Knows no longer what it has given: another process reads it. */
  letGo(): void {
    const given = this.#given;
    this.#given = null;
    if (given === null) return;
    for (const slot of given.slots) {
      const fd = this.#table.fds[slot];
      this.#sessions.forget(slot);
      closeFd(fd);
    }
    for (const { fd } of this.#listeners.splice(0)) closeFd(fd);
  }

  /** Takes over the sessions of another process, before the first turn. */
  inherit(estate: UdpEstate): void {
    for (const fd of inheritSessions(this.#context, this.#parts, estate)) closeFd(fd);
    this.#waiting = HeldQueue.of(unpackWaiting(estate.waiting));
  }

  /** Ends everything. */
  close(): void {
    this.#sessions.closeAll();
    for (const { fd } of this.#listeners.splice(0)) closeFd(fd);
    for (const { ipv4, ipv6 } of this.#rawSockets) {
      if (ipv4 >= 0) closeFd(ipv4);
      if (ipv6 >= 0) closeFd(ipv6);
    }
  }

  #sessionEvent(slot: number, tag: number, bits: number): void {
    const table = this.#table;
    if (table.tags[slot] !== tag) return;
    if ((bits & EPOLLERR) !== 0) this.#errors.drain(slot);
    this.#sessions.touch(slot);
    if (this.#downlink.receive(slot) || table.queued[slot] === 1) return;
    table.queued[slot] = 1;
    this.#queue.push(slot);
  }

  #continue(): void {
    const queue = this.#queue;
    this.#queue = this.#spareQueue;
    this.#spareQueue = queue;
    const table = this.#table;
    for (let i = 0; i < queue.length; i++) {
      const slot = queue[i];
      table.queued[slot] = 0;
      // If another session has the slot by now, looking whether it has something does no harm.
      if (table.tags[slot] !== 0) this.#sessionEvent(slot, table.tags[slot], 0);
    }
    queue.length = 0;
  }
}
