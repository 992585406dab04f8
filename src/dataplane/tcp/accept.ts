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
import { makeSockaddr, readSockaddr, sameSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { acceptSocket, closeFd, localAddress } from "../../../ffi/sockets/socket.ts";
import { resetOnClose } from "../../../ffi/sockets/sockopt.ts";
import { errnoCode } from "../../net/errno.ts";
import { formatEndpoint, formatIp } from "../../net/ip.ts";
import type { WorkerContext } from "../context.ts";
import type { Service } from "../loop/service.ts";
import type { Dials } from "../upstream/direct.ts";
import { PerClient } from "../shared/per_client.ts";
import { COUNTER } from "../shared/state.ts";
import { Throttle } from "../loop/throttle.ts";
import { TICK_MS } from "../loop/wheel.ts";

/** Accepted per listener and turn, so that a flood of new connections does not keep live ones waiting. */
const ACCEPTS_PER_TURN = 64;

/** A listener that connections are taken from. */
export interface Listener {
  readonly fd: number;
  /** Its own address; null where connections to the listener itself are as good as others. */
  readonly address: Uint8Array<ArrayBuffer> | null;
}

/** What the acceptor works with. */
export interface AcceptorParts {
  /** They are closed at the end. */
  readonly listeners: readonly Listener[];
  readonly sessions: Sessions;
  readonly dialler: Dials;
  /** At most so many are accepted per turn and listener. */
  readonly acceptsPerTurn?: number | undefined;
}

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
export class TcpAcceptor implements Service {
  readonly #context: WorkerContext;
  readonly #counters: Float64Array<SharedArrayBuffer>;
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

  constructor(context: WorkerContext, parts: AcceptorParts) {
    this.#context = context;
    this.#overLimit = new Throttle(context.clock);
    this.#counters = context.counters;
    this.#perClient = new PerClient(context.shared.tcpClients);
    this.#listeners = [...parts.listeners];
    this.#sessions = parts.sessions;
    this.#dialler = parts.dialler;
    this.#acceptsPerTurn = parts.acceptsPerTurn ?? ACCEPTS_PER_TURN;
  }

  /** Begins to listen. The i-th listener's events carry key i and tag 0. 0 or -errno. */
  start(): number {
    this.#paused = false;
    for (let i = 0; i < this.#listeners.length; i++) {
      const returned = this.#context.loop.watch(this, this.#listeners[i].fd, EPOLLIN, i, 0);
      if (returned < 0) return returned;
    }
    return 0;
  }

  /** Takes no new connection from now on, but for those that wait in the listeners' queues. */
  drain(): void {
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
  timeout(): number {
    return this.#paused ? TICK_MS : -1;
  }

  /** Accepts again after a pause, if it may. */
  turn(): void {
    if (
      this.#paused && this.#context.clock.tick >= this.#retryTick &&
      this.#context.shared.live < this.#context.settings.maxConnections
    ) {
      const returned = this.start();
      if (returned < 0) this.#pauseAWhile("listen again", returned);
    }
  }

  /** See {@linkcode Service}: a listener has something. */
  event(key: number): void {
    this.accept(key);
  }

  /** See {@linkcode Service}: draining has taken all that waited. */
  idle(): boolean {
    return true;
  }

  /** Takes connections from a listener. How many it took. */
  accept(listener: number): number {
    const handle = this.#listeners[listener];
    if (handle === undefined) return 0;
    let taken = 0;
    while (taken < this.#acceptsPerTurn && !this.#paused) {
      if (this.#context.shared.addLive(1) > this.#context.settings.maxConnections) {
        this.#context.shared.addLive(-1);
        this.#pause("connection limit reached", { limit: this.#context.settings.maxConnections });
        break;
      }
      const client = acceptSocket(handle.fd, this.#client);
      if (client >= 0) {
        taken++;
        this.#counters[COUNTER.accepted]++;
        this.#take(client, handle);
        continue;
      }
      this.#context.shared.addLive(-1);
      if (client === -EAGAIN) break;
      // The client is gone already, or a signal came.
      if (client !== -EINTR && client !== -ECONNABORTED) this.#pauseAWhile("accept", client);
    }
    return taken;
  }

  #take(client: number, handle: Listener): void {
    if (this.#perClient.add(this.#clientWords, 0, this.#context.settings.perClient) > 0) {
      this.#counters[COUNTER.overLimit]++;
      this.#warnOverLimit();
      return this.#refuse(client, ECONNREFUSED, null);
    }
    const returned = localAddress(client, this.#destination);
    const description = this.#context.log.enabled("debug") ? this.#describe() : null;
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
      this.#context.log.debug("connection refused", { ...description, error: errnoCode(error) });
    }
    resetOnClose(client);
    closeFd(client);
    this.#perClient.remove(this.#clientWords, 0);
    this.#context.shared.addLive(-1);
  }

  #warnOverLimit(): void {
    if (!this.#overLimit.allows()) return;
    const client = formatIp(readSockaddr(this.#client).address);
    this.#context.log.warn("connections are refused: limits.per-client", { client });
  }

  #describe(): Record<string, string> {
    return {
      client: formatEndpoint(readSockaddr(this.#client)),
      destination: formatEndpoint(readSockaddr(this.#destination)),
    };
  }

  #pauseAWhile(attempt: string, error: number): void {
    this.#pause(`cannot ${attempt}`, { error: errnoCode(-error) });
    this.#retryTick = this.#context.clock.tick + 1;
  }

  #pause(why: string, fields: Record<string, string | number>): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#counters[COUNTER.acceptPauses]++;
    for (const { fd } of this.#listeners) this.#context.loop.unwatch(fd);
    this.#context.log.warn(`accepting pauses: ${why}`, { ...fields, live: this.#context.shared.live });
  }
}
