/**
 * The UDP half of a worker: listeners, sessions, and the two ways through them.
 * @module
 */
import { EPOLLERR, EPOLLIN } from "../../../ffi/consts.ts";
import { addToEpoll } from "../../../ffi/epoll.ts";
import { ReceiveBatch } from "../../../ffi/sockets/receive_batch.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import type { Logger } from "../../log.ts";
import type { Clock } from "../loop/clock.ts";
import type { RawSockets, UdpOptions, WorkerOptions } from "../orders.ts";
import type { RouterTraffic } from "../sockets/own_addresses.ts";
import { SharedState } from "../shared/state.ts";
import { UdpDownlink } from "./downlink.ts";
import { UdpErrors } from "./errors.ts";
import { UdpFilter } from "./filter.ts";
import { UDP_SESSION_KEY, UdpSessions } from "./sessions.ts";
import { type UdpListener, UdpUplink } from "./uplink.ts";
import { Unreachable } from "./unreachable.ts";
import { ticks } from "../loop/wheel.ts";

/** Keys of the UDP listeners' events, with tag 0, begin here. */
export const UDP_LISTENER_KEY = 0x100;

const BATCH = 64;
/** When it is to end, answers that are on their way are waited for: until there was none for so long, but no longer than the second. */
const LULL_MS = 200;
const MAX_LULL_MS = 1000;

/** The UDP relay of a worker. */
export class UdpRelay {
  readonly #epoll: number;
  readonly #clock: Clock;
  readonly #listeners: UdpListener[];
  readonly #rawSockets: readonly RawSockets[];
  readonly #sessions: UdpSessions;
  readonly #uplink: UdpUplink;
  readonly #downlink: UdpDownlink;
  readonly #errors: UdpErrors | null;
  /** Sessions whose turn was over before their socket was empty, with their tags; and the list of the turn before, to be used again. */
  #queue: number[] = [];
  #spareQueue: number[] = [];
  #stoppedTick = -1;

  constructor(
    options: WorkerOptions,
    udp: UdpOptions,
    context: { epoll: number; clock: Clock; log: Logger; router: RouterTraffic | null },
  ) {
    this.#epoll = context.epoll;
    this.#clock = context.clock;
    this.#listeners = udp.listeners.map(({ fd, address }) => ({ fd, words: new Int32Array(address.buffer) }));
    this.#rawSockets = [udp.senders, udp.errorSenders];
    const counters = new SharedState(options.shared).row(options.index);
    // Sockets with clients' addresses get only what conntrack takes for an answer; those of the router's own get everything.
    const allOwn = options.source === "router";
    const filter = udp.filter && (allOwn || context.router !== null)
      ? new UdpFilter(allOwn ? null : (slot) => this.#sessions.table.own[slot] === 1)
      : null;
    this.#sessions = new UdpSessions(options, udp, {
      ...context,
      watcher: { closing: (slot) => filter?.closing(slot) },
    });
    const unreachable = new Unreachable(context.clock, udp.errorSenders);
    // Errors about what has a client's address and port go to the client by themselves.
    this.#errors = options.source === "client" && context.router === null
      ? null
      : new UdpErrors(this.#sessions.table, unreachable);
    const both = { sessions: this.#sessions, counters, tos: udp.tos };
    this.#uplink = new UdpUplink({
      ...both,
      batch: new ReceiveBatch(BATCH),
      watcher: filter,
      unreachable,
      errors: this.#errors,
    });
    this.#downlink = new UdpDownlink({
      ...both,
      batch: new ReceiveBatch(BATCH),
      filter,
      meetsErrors: this.#errors !== null,
      senders: udp.senders,
    });
  }

  /** The number of live sessions. */
  get size(): number {
    return this.#sessions.table.size;
  }

  /** Begins to listen. The i-th listener's events carry key UDP_LISTENER_KEY + i and tag 0. 0 or -errno. */
  start(): number {
    for (let i = 0; i < this.#listeners.length; i++) {
      const returned = addToEpoll(this.#epoll, this.#listeners[i].fd, EPOLLIN, UDP_LISTENER_KEY + i, 0);
      if (returned < 0) return returned;
    }
    return 0;
  }

  /** Takes no datagram from clients from now on, but for those that wait; answers still go to them. */
  stop(): void {
    for (const listener of this.#listeners) {
      while (!this.#uplink.receive(listener));
      closeFd(listener.fd);
    }
    this.#listeners.length = 0;
    this.#stoppedTick = this.#clock.tick;
  }

  /** A listener has something. */
  receive(key: number): void {
    const listener = this.#listeners[key - UDP_LISTENER_KEY];
    if (listener !== undefined) this.#uplink.receive(listener);
  }

  /** An event of a session's socket. */
  event(key: number, tag: number, bits: number): void {
    const slot = key & ~UDP_SESSION_KEY;
    const { table } = this.#sessions;
    if (table.tags[slot] !== tag) return;
    if ((bits & EPOLLERR) !== 0 && this.#errors !== null) this.#errors.drain(slot);
    table.touch(slot, this.#clock.tick);
    if (this.#downlink.receive(slot) || table.queued[slot] === 1) return;
    table.queued[slot] = 1;
    this.#queue.push(slot);
  }

  /** The end of a turn: what has been taken is sent, sessions with more to do get another turn, silent ones end. */
  turn(): void {
    if (this.#queue.length > 0) this.#continue();
    this.#downlink.flush();
    this.#sessions.turn();
  }

  /** Milliseconds that the worker may sleep, -1 for ever. */
  patience(): number {
    if (this.#queue.length > 0) return 0;
    return this.#stoppedTick >= 0 && this.size > 0 ? LULL_MS / 2 : this.#sessions.patience();
  }

  /** After {@linkcode stop}: whether the worker may end as far as UDP goes. */
  isQuiet(): boolean {
    return this.size === 0 || this.#sessions.silentFor(LULL_MS) ||
      this.#clock.tick - this.#stoppedTick > ticks(MAX_LULL_MS);
  }

  /** Ends everything. */
  close(): void {
    this.#sessions.closeAll();
    for (const { ipv4, ipv6 } of this.#rawSockets) {
      if (ipv4 >= 0) closeFd(ipv4);
      if (ipv6 >= 0) closeFd(ipv6);
    }
  }

  #continue(): void {
    const queue = this.#queue;
    this.#queue = this.#spareQueue;
    this.#spareQueue = queue;
    const { table } = this.#sessions;
    for (let i = 0; i < queue.length; i++) {
      const slot = queue[i];
      table.queued[slot] = 0;
      // If another session has the slot by now, looking whether it has something does no harm.
      if (table.tags[slot] !== 0) this.event(slot | UDP_SESSION_KEY, table.tags[slot], 0);
    }
    queue.length = 0;
  }
}
