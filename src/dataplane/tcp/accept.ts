/**
 * Accepts what the kernel steers to a worker's listeners, and begins a session for each. Where the house is
 * full, the client with most makes room; accepting pauses only where the machine has nothing left.
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
  SO_PRIORITY,
  SOL_SOCKET,
} from "../../../ffi/consts.ts";
import { readSockaddr, sameSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { SOCKADDR_SIZE } from "../../../ffi/layout.ts";
import { acceptSocket, closeFd, localAddress } from "../../../ffi/sockets/socket.ts";
import { resetOnClose, setInt } from "../../../ffi/sockets/sockopt.ts";
import { CLIENT_PRIORITY } from "../../constants.ts";
import { errnoCode } from "../../net/errno.ts";
import { formatIp } from "../../net/ip.ts";
import type { WorkerContext } from "../context.ts";
import type { Service } from "../loop/service.ts";
import { LOOPED, OVER_LIMIT } from "../shared/endings.ts";
import { COUNTER } from "../shared/state.ts";
import { Throttle } from "../loop/throttle.ts";
import { TICK_MS, ticks } from "../loop/wheel.ts";
import { Arrivals } from "../sockets/arrival.ts";
import type { OwnAddresses } from "../sockets/own_addresses.ts";
import type { Sockaddr } from "../upstream/upstream.ts";
import { CLIENT, type Session } from "./session.ts";
import type { TcpSessions } from "./sessions.ts";

/** Accepted per listener and turn, so that a flood of new connections does not keep live ones waiting. */
const ACCEPTS_PER_TURN = 64;

const NEVER = -1;

/** A listener that connections are taken from. */
export interface Listener {
  readonly fd: number;
  /** Its own address; null where connections to the listener itself are as good as others. */
  readonly address: Uint8Array<ArrayBuffer> | null;
}

/**
 * Ticks that the listeners stay open at the end, for clients that somebody has dialled for: two seconds. A
 * client that comes later asks again, and is not answered by us.
 */
const DRAIN_TICKS = ticks(2000);

/** The part of a worker that has dialled for a client before it was accepted. */
export interface ConnectionJoiner {
  /** Clients that it has dialled for, and that were not accepted yet. */
  readonly pending: number;
  /** Forgets them. */
  giveUp(): void;
  /**
   * Takes over a connection. False: nobody has dialled for it. `addresses`: of the client and of where it
   * wanted to go, as a Session has them.
   */
  join(client: number, addresses: Int32Array): boolean;
}

/** Parts that the acceptor works with. */
export interface AcceptorParts {
  /** The listeners, which are closed at the end. */
  readonly listeners: readonly Listener[];
  readonly sessions: TcpSessions;
  /** Knows the clients whose first packet has asked; null: no client's does. */
  readonly asked?: ConnectionJoiner | null;
  /** The router's own addresses: a program on the router does not ask. null: it is not proxied. */
  readonly own?: OwnAddresses | null;
  /** Default: some of its own. */
  readonly arrivals?: Arrivals;
  /** At most so many are accepted per turn and listener. */
  readonly acceptsPerTurn?: number | undefined;
}

/** Tells that a client that wanted to go to `destination` has dialled the listener itself. */
function isOwn({ address }: Listener, destination: Sockaddr): boolean {
  return address !== null && sameSockaddr(destination, address);
}

/** Tells that there are no more descriptors. */
function isScarcity(returned: number): boolean {
  return returned === -EMFILE || returned === -ENFILE;
}

/** The accepting half of a worker. */
export class TcpAcceptor implements Service {
  readonly #context: WorkerContext;
  readonly #counters: Float64Array<SharedArrayBuffer>;
  readonly #listeners: Listener[];
  readonly #acceptsPerTurn: number;
  readonly #sessions: TcpSessions;
  #paused = false;
  #retryTick = 0;
  /** The tick at which draining closes the listeners. */
  #closeTick = NEVER;
  readonly #overLimit: Throttle;
  readonly #asked: ConnectionJoiner | null;
  readonly #own: OwnAddresses | null;
  readonly #arrivals: Arrivals;
  /** The client's address, and where it wanted to go, as a Session has them. */
  readonly #words = new Int32Array((2 * SOCKADDR_SIZE) / 4);
  readonly #client = new Uint8Array(this.#words.buffer, 0, SOCKADDR_SIZE);
  readonly #destination = new Uint8Array(this.#words.buffer, SOCKADDR_SIZE, SOCKADDR_SIZE);

  constructor(context: WorkerContext, parts: AcceptorParts) {
    this.#context = context;
    this.#overLimit = new Throttle(context.clock);
    this.#counters = context.counters;
    this.#listeners = [...parts.listeners];
    this.#sessions = parts.sessions;
    this.#asked = parts.asked ?? null;
    this.#own = parts.own ?? null;
    this.#arrivals = parts.arrivals ?? new Arrivals();
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
    if (this.#asked !== null && this.#asked.pending > 0) {
      this.#closeTick = this.#context.clock.tick + DRAIN_TICKS;
    } else this.#takeRest();
  }

  #takeRest(): void {
    this.#closeTick = NEVER;
    for (let i = 0; i < this.#listeners.length; i++) {
      while (!this.#paused && this.accept(i) === this.#acceptsPerTurn);
    }
    this.#asked?.giveUp();
    this.close();
  }

  /**
   * Takes no new connection from now on, but for those that wait: the listeners stay open, for another
   * process. {@linkcode start} takes it back.
   */
  leave(): void {
    if (!this.#paused) { for (const { fd } of this.#listeners) this.#context.loop.unwatch(fd); }
    for (let i = 0; i < this.#listeners.length; i++) {
      while (!this.#paused && this.accept(i) === this.#acceptsPerTurn);
    }
    this.#asked?.giveUp();
    this.#paused = false;
  }

  /** Takes no new connection from now on: those that wait are reset. */
  close(): void {
    for (const { fd } of this.#listeners) closeFd(fd);
    this.#listeners.length = 0;
    this.#paused = false;
    this.#arrivals.close();
  }

  /** Milliseconds that the worker may sleep, -1 for ever. */
  timeout(): number {
    return this.#paused || this.#closeTick !== NEVER ? TICK_MS : -1;
  }

  /** Accepts again after a pause, if it may; closes when nobody is waited for any more. */
  turn(): void {
    if (
      this.#closeTick !== NEVER && (this.#asked!.pending === 0 || this.#context.clock.tick >= this.#closeTick)
    ) {
      this.#takeRest();
    }
    if (this.#paused && this.#context.clock.tick >= this.#retryTick) {
      const returned = this.start();
      if (returned < 0) this.#pauseAWhile("listen again", returned);
    }
  }

  /** See {@linkcode Service}: a listener has something. */
  event(key: number): void {
    this.accept(key);
  }

  /** See {@linkcode Service}. */
  idle(): boolean {
    return this.#closeTick === NEVER;
  }

  /** Takes connections from a listener. How many it took. */
  accept(listener: number): number {
    const handle = this.#listeners[listener];
    if (handle === undefined) return 0;
    let taken = 0;
    while (taken < this.#acceptsPerTurn && !this.#paused) {
      const client = acceptSocket(handle.fd, this.#client);
      if (client >= 0) {
        taken++;
        this.#counters[COUNTER.accepted]++;
        if (this.#asked !== null && !this.#mayDial(client, handle)) continue;
        if (this.#sessions.admit(this.#words, CLIENT)) this.#take(client, handle);
        else this.#turnAway(client);
        continue;
      }
      if (client === -EAGAIN) break;
      // The client is gone already, or a signal came.
      if (client === -EINTR || client === -ECONNABORTED) continue;
      if (!isScarcity(client) || !this.#sessions.makeRoom()) this.#pauseAWhile("accept", client);
    }
    return taken;
  }

  /**
   * Gives a connection to whoever has dialled for it; one that nobody has asked about is reset. True: it is
   * one that does not ask.
   */
  #mayDial(client: number, listener: Listener): boolean {
    // The listener does not pass its own on. A reset needs it as well.
    setInt(client, SOL_SOCKET, SO_PRIORITY, CLIENT_PRIORITY);
    if (localAddress(client, this.#destination) >= 0) {
      if (this.#asked!.join(client, this.#words)) return false;
      if (isOwn(listener, this.#destination) || this.#own?.has(this.#client)) return true;
    }
    resetOnClose(client);
    closeFd(client);
    this.#counters[COUNTER.unasked]++;
    return false;
  }

  #take(client: number, listener: Listener): void {
    const session = this.#sessions.begin(client, this.#client);
    if (session.excess > 0) {
      this.#warnOverLimit(session.client, "limits.per-client"); // for all: none has a line of its own
      return this.#sessions.refuse(session, 0, OVER_LIMIT);
    }
    const returned = localAddress(client, session.destination);
    if (returned < 0 || isOwn(listener, session.destination)) {
      // Somebody dialled the listener itself: there is nowhere to go, and dialling it would never end.
      return this.#sessions.refuse(session, ECONNREFUSED, LOOPED);
    }
    this.#learnArrival(session);
    if (!this.#sessions.decide(session)) return;
    const dialled = this.#sessions.dial(session);
    if (dialled === -ENOBUFS || isScarcity(dialled) && !this.#sessions.makeRoom()) {
      this.#pauseAWhile("dial", dialled);
    }
  }

  /** No question has told it. */
  #learnArrival(session: Session): void {
    const { policy } = this.#context;
    if (policy === null || !(policy.asksInterface || policy.asksHardware)) return;
    this.#arrivals.learn(session, policy.asksHardware);
  }

  /** Resets a connection for which nobody makes room: its client has as many as anybody else. */
  #turnAway(client: number): void {
    resetOnClose(client);
    closeFd(client);
    this.#counters[COUNTER.overLimit]++;
    this.#warnOverLimit(this.#client, "limits.connections");
  }

  #warnOverLimit(client: Sockaddr, limit: string): void {
    if (!this.#overLimit.allows()) return;
    const address = formatIp(readSockaddr(client).address);
    this.#context.log.warn(`connections are refused: ${limit}`, { client: address });
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
