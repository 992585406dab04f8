/**
 * Accepts what the kernel steers to a worker's listeners and dials the original destination. Pauses at limits: what waits
 * then waits in the listeners' queues.
 * @module
 */
import {
  EAGAIN,
  ECONNABORTED,
  ECONNREFUSED,
  EINTR,
  EMFILE,
  ENFILE,
  ENOBUFS,
  EPOLLIN,
} from "../../../ffi/consts.ts";
import { addToEpoll, removeFromEpoll } from "../../../ffi/epoll.ts";
import { makeSockaddr, readSockaddr, sameSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { acceptSocket, closeFd, localAddress } from "../../../ffi/sockets/socket.ts";
import { resetOnClose } from "../../../ffi/sockets/sockopt.ts";
import type { Logger } from "../../log.ts";
import { errnoCode } from "../../net/errno.ts";
import { formatEndpoint, formatIp } from "../../net/ip.ts";
import type { Clock } from "../loop/clock.ts";
import type { Dials } from "../upstream/direct.ts";
import type { AcceptOptions } from "../orders.ts";
import { PerClient } from "../shared/per_client.ts";
import { COUNTER, SharedState } from "../shared/state.ts";
import { Throttle } from "../loop/throttle.ts";
import { TICK_MS } from "../loop/wheel.ts";

/** Accepted per listener and turn, so that a flood of new connections does not keep live ones waiting. */
const ACCEPTS_PER_TURN = 64;

type Listener = AcceptOptions["listeners"][number];

/** What takes an accepted connection over. */
export interface Sessions {
  /**
   * `address`: the client's struct sockaddr, in 32-bit words. `description` is for the log; null unless connections are logged.
   */
  open(
    client: number,
    upstream: number,
    address: Int32Array,
    description: Record<string, string> | null,
  ): void;
}

/** The accepting half of a worker. */
export class TcpAcceptor {
  readonly #epoll: number;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #debug: boolean;
  readonly #shared: SharedState;
  readonly #counters: Float64Array<SharedArrayBuffer>;
  readonly #maxConnections: number;
  readonly #listeners: Listener[];
  readonly #dialler: Dials;
  readonly #acceptsPerTurn: number;
  readonly #sessions: Sessions;
  #paused = false;
  #retryTick = 0;
  readonly #overLimit: Throttle;
  readonly #perClient: PerClient;
  readonly #client = makeSockaddr();
  readonly #clientWords = new Int32Array(this.#client.buffer);
  readonly #destination = makeSockaddr();

  constructor(
    options: AcceptOptions,
    context: { epoll: number; clock: Clock; log: Logger; sessions: Sessions; dialler: Dials },
  ) {
    this.#epoll = context.epoll;
    this.#clock = context.clock;
    this.#overLimit = new Throttle(context.clock);
    this.#log = context.log;
    this.#debug = context.log.enabled("debug");
    this.#sessions = context.sessions;
    this.#shared = new SharedState(options.shared);
    this.#counters = this.#shared.row(options.index);
    this.#maxConnections = options.maxConnections;
    this.#perClient = new PerClient(this.#shared.tcpClients, options.perClient);
    this.#listeners = [...options.listeners];
    this.#dialler = context.dialler;
    this.#acceptsPerTurn = options.acceptsPerTurn ?? ACCEPTS_PER_TURN;
  }

  /** Begins to listen. The i-th listener's events carry key i and tag 0. 0 or -errno. */
  start(): number {
    this.#paused = false;
    for (let i = 0; i < this.#listeners.length; i++) {
      const returned = addToEpoll(this.#epoll, this.#listeners[i].fd, EPOLLIN, i, 0);
      if (returned < 0) return returned;
    }
    return 0;
  }

  /** Takes no new connection from now on, but for those that wait in the listeners' queues. */
  stop(): void {
    for (let i = 0; i < this.#listeners.length; i++) {
      while (!this.#paused && this.accept(i) === this.#acceptsPerTurn);
    }
    this.close();
  }

  /** Takes no new connection from now on: those that wait are reset. */
  close(): void {
    for (const { fd } of this.#listeners) closeFd(fd);
    this.#listeners.length = 0;
    this.#paused = false;
  }

  /** Milliseconds that the worker may sleep, -1 for ever. */
  patience(): number {
    return this.#paused ? TICK_MS : -1;
  }

  /** Accepts again after a pause, if it may. */
  turn(): void {
    if (this.#paused && this.#clock.tick >= this.#retryTick && this.#shared.live < this.#maxConnections) {
      const returned = this.start();
      if (returned < 0) this.#pauseAWhile("listen again", returned);
    }
  }

  /** Takes connections from a listener. How many it took. */
  accept(listener: number): number {
    const handle = this.#listeners[listener];
    if (handle === undefined) return 0;
    let taken = 0;
    while (taken < this.#acceptsPerTurn && !this.#paused) {
      if (this.#shared.addLive(1) > this.#maxConnections) {
        this.#shared.addLive(-1);
        this.#pause("connection limit reached", { limit: this.#maxConnections });
        break;
      }
      const client = acceptSocket(handle.fd, this.#client);
      if (client >= 0) {
        taken++;
        this.#counters[COUNTER.accepted]++;
        this.#take(client, handle);
        continue;
      }
      this.#shared.addLive(-1);
      if (client === -EAGAIN) break;
      // The client is gone already, or a signal came.
      if (client !== -EINTR && client !== -ECONNABORTED) this.#pauseAWhile("accept", client);
    }
    return taken;
  }

  #take(client: number, handle: Listener): void {
    if (this.#perClient.add(this.#clientWords, 0) > 0) {
      this.#counters[COUNTER.overLimit]++;
      this.#warnOverLimit();
      return this.#refuse(client, ECONNREFUSED, null);
    }
    const returned = localAddress(client, this.#destination);
    const description = this.#debug ? this.#describe() : null;
    if (returned < 0 || (handle.address !== null && sameSockaddr(this.#destination, handle.address))) {
      // Somebody dialled the listener itself: there is nowhere to go, and dialling it would never end.
      this.#counters[COUNTER.looped]++;
      return this.#refuse(client, ECONNREFUSED, description);
    }
    const upstream = this.#dialler.dial(this.#destination, this.#client, client);
    if (upstream >= 0) return this.#sessions.open(client, upstream, this.#clientWords, description);
    this.#counters[COUNTER.failed]++;
    if (upstream === -EMFILE || upstream === -ENFILE || upstream === -ENOBUFS) {
      this.#pauseAWhile("dial", upstream);
    }
    this.#refuse(client, -upstream, description);
  }

  #refuse(client: number, error: number, description: Record<string, string> | null): void {
    if (description !== null) {
      this.#log.debug("connection refused", { ...description, error: errnoCode(error) });
    }
    resetOnClose(client);
    closeFd(client);
    this.#perClient.remove(this.#clientWords, 0);
    this.#shared.addLive(-1);
  }

  #warnOverLimit(): void {
    if (!this.#overLimit.allows()) return;
    const client = formatIp(readSockaddr(this.#client).address);
    this.#log.warn("connections are refused: limits.per-client", { client });
  }

  #describe(): Record<string, string> {
    return {
      client: formatEndpoint(readSockaddr(this.#client)),
      destination: formatEndpoint(readSockaddr(this.#destination)),
    };
  }

  #pauseAWhile(attempt: string, error: number): void {
    this.#pause(`cannot ${attempt}`, { error: errnoCode(-error) });
    this.#retryTick = this.#clock.tick + 1;
  }

  #pause(why: string, fields: Record<string, string | number>): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#counters[COUNTER.acceptPauses]++;
    for (const { fd } of this.#listeners) removeFromEpoll(this.#epoll, fd);
    this.#log.warn(`accepting pauses: ${why}`, { ...fields, live: this.#shared.live });
  }
}
