/**
 * The live TCP sessions of a worker: follows each from the dial to its end.
 * @module
 */
import {
  ECONNREFUSED,
  ECONNRESET,
  EPIPE,
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
  ETIMEDOUT,
  SO_OOBINLINE,
  SOL_SOCKET,
} from "../../../ffi/consts.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { resetOnClose, setInt, takeSocketError, unacknowledgedBytes } from "../../../ffi/sockets/sockopt.ts";
import { errnoCode } from "../../net/errno.ts";
import type { WorkerContext } from "../context.ts";
import type { Service } from "../loop/service.ts";
import type { PipeOptions } from "../orders.ts";
import type { Dials } from "../upstream/direct.ts";
import { PerClient } from "../shared/per_client.ts";
import { PipePool } from "./pipes.ts";
import { MORE, Relay } from "./relay.ts";
import { CONNECTING, type Direction, HALF_CLOSED, OPEN, RESETTING, type Session } from "./session.ts";
import { SessionTable } from "./session_table.ts";
import { COUNTER } from "../shared/state.ts";
import { keepAlive } from "../sockets/transparent.ts";
import { ticks, TimerWheel } from "../loop/wheel.ts";

/** How long what was sent before a reset may take to reach the other side. */
const RESETTING_MS = 5000;
/** Only a connection that lives so long gets keepalive on its upstream leg: four system calls that most never need. */
const KEEPALIVE_AFTER_MS = 2000;
const SESSION_EVENTS = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET;

/** The live sessions of a worker. */
export class TcpSessions implements Service {
  readonly #context: WorkerContext;
  readonly #counters: Float64Array<SharedArrayBuffer>;
  readonly #perClient: PerClient;
  readonly #pipes: PipePool;
  readonly #relay: Relay;
  readonly #table = new SessionTable({ up: COUNTER.bytesUp, down: COUNTER.bytesDown });
  readonly #wheel: TimerWheel<Session>;
  readonly #keepAliveTicks = ticks(KEEPALIVE_AFTER_MS);
  readonly #resettingTicks = ticks(RESETTING_MS);
  readonly #onDue = (session: Session) => this.#due(session);
  readonly #dialler: Dials | null;
  /** Sessions whose turn was over before they had nothing to do, and the list of the turn before, to be used again. */
  #queue: Session[] = [];
  #spareQueue: Session[] = [];

  /** `dialler`: what is told of upstreams that answer, and asked for another where one has failed. */
  constructor(context: WorkerContext, parts: { pipes: PipeOptions; dialler?: Dials }) {
    this.#context = context;
    this.#counters = context.counters;
    this.#perClient = new PerClient(context.shared.tcpClients);
    this.#pipes = new PipePool(parts.pipes.limit, parts.pipes.size);
    this.#relay = new Relay(this.#pipes, this.#counters);
    this.#dialler = parts.dialler ?? null;
    this.#wheel = new TimerWheel(context.clock.tick);
  }

  /** The number of live sessions. */
  get size(): number {
    return this.#table.size;
  }

  /** See {@linkcode Service}: there are descriptors only where there are sessions. */
  start(): number {
    return 0;
  }

  /** Milliseconds that the worker may sleep, -1 for ever. */
  timeout(): number {
    if (this.#queue.length > 0) return 0;
    const next = this.#wheel.ticksToNext();
    return next < 0 ? -1 : this.#context.clock.millisecondsTo(this.#context.clock.tick + next);
  }

  /**
   * A session for an accepted socket and one that is dialling. `address`: the client's struct sockaddr, in 32-bit words, as it was
   * counted for the limit per client. `description` is for the log.
   */
  open(
    client: number,
    upstream: number,
    address: Int32Array,
    description: Record<string, string> | null,
  ): void {
    const session = this.#table.open(client, upstream);
    session.client.set(address);
    session.state = CONNECTING;
    session.description = description;
    session.keptAlive = false;
    session.startedTick = session.activeTick = this.#context.clock.tick;
    this.#wheel.schedule(session, this.#context.clock.tick + this.#context.settings.connectTicks);
    const { loop } = this.#context;
    const key = session.slot * 2;
    const added = loop.watch(this, client, SESSION_EVENTS, key, session.tag);
    const addedToo = loop.watch(this, upstream, SESSION_EVENTS, key + 1, session.tag);
    if (added < 0 || addedToo < 0) this.#end(session, true, COUNTER.failed);
    else if (description !== null) this.#context.log.debug("connection opened", description);
  }

  /** An event of a session's socket. `key` is twice the slot, plus one for the upstream's socket. */
  event(key: number, tag: number, bits: number): void {
    const session = this.#table.find(key >>> 1, tag);
    if (session === undefined) return;
    const upstream = (key & 1) === 1;
    if (session.state === CONNECTING && upstream) {
      if ((bits & (EPOLLERR | EPOLLHUP)) !== 0) return this.#dialFailed(session);
      if ((bits & EPOLLOUT) !== 0) this.#connected(session);
    }
    const reads = upstream ? session.down : session.up;
    const writes = upstream ? session.up : session.down;
    if ((bits & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) !== 0) reads.readable = true;
    if ((bits & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) !== 0) reads.hungUp = true;
    if ((bits & EPOLLPRI) !== 0 && !reads.urgent) this.#meetUrgent(reads);
    if ((bits & (EPOLLOUT | EPOLLHUP | EPOLLERR)) !== 0) writes.writable = true;
    session.activeTick = this.#context.clock.tick;
    if (session.state === CONNECTING) {
      // The client's reset ends the attempt; its data and its end wait for the upstream.
      if ((bits & EPOLLERR) !== 0) this.#end(session, true, COUNTER.reset);
    } else if ((bits & EPOLLERR) !== 0) {
      // The second side to fail has nobody left to tell.
      if (session.state === RESETTING && session.dying !== reads) this.#end(session, true, COUNTER.reset);
      else this.#reset(session, reads);
    } else {
      this.#pump(session);
    }
  }

  /** What does not come from an event: sessions with more to do, and timers. */
  turn(): void {
    const queue = this.#queue;
    this.#queue = this.#spareQueue;
    this.#spareQueue = queue;
    for (let i = 0; i < queue.length; i++) {
      queue[i].queued = false;
      if (queue[i].tag !== 0) this.#pump(queue[i]);
    }
    queue.length = 0;
    this.#wheel.advance(this.#context.clock.tick, this.#onDue);
  }

  /** See {@linkcode Service}: sessions are begun by the acceptor. */
  drain(): void {}

  /** See {@linkcode Service}. */
  idle(): boolean {
    return this.size === 0;
  }

  /** Ends all sessions with a reset, and closes what is kept for the next. */
  close(): void {
    this.#table.forEach((session) => this.#end(session, true, COUNTER.reset));
    this.#pipes.clear();
  }

  #connected(session: Session): void {
    session.state = OPEN;
    this.#counters[COUNTER.connected]++;
    if (this.#dialler !== null) this.#dialler.connected?.(session.clientFd, session.upstreamFd);
    this.#wheel.schedule(
      session,
      this.#context.clock.tick + Math.min(this.#context.settings.idleTicks, this.#keepAliveTicks),
    );
  }

  #dialFailed(session: Session): void {
    const error = takeSocketError(session.upstreamFd);
    if (error === ECONNRESET || error === EPIPE) {
      // It was connected before, and may have sent something. A reset that answers the dial is ECONNREFUSED.
      this.#connected(session);
      return this.#reset(session, session.down);
    }
    if (this.#dialAgain(session, error)) return;
    if (session.description !== null) {
      this.#context.log.debug("upstream failed", { ...session.description, error: errnoCode(error) });
    }
    this.#end(session, true, error === ECONNREFUSED ? COUNTER.refused : COUNTER.failed);
  }

  /** Whether there is another upstream to try. */
  #dialAgain(session: Session, error: number): boolean {
    const upstream = this.#dialler?.redial?.(session.clientFd, session.upstreamFd, error) ?? -error;
    if (upstream < 0) return false;
    closeFd(session.upstreamFd);
    session.upstreamFd = session.up.to = session.down.from = upstream;
    session.startedTick = this.#context.clock.tick;
    this.#wheel.schedule(session, this.#context.clock.tick + this.#context.settings.connectTicks);
    return this.#context.loop.watch(this, upstream, SESSION_EVENTS, session.slot * 2 + 1, session.tag) >= 0;
  }

  /** Urgent data goes on as part of the stream: one leg's mark means nothing on the other, and no byte may be lost. */
  #meetUrgent(direction: Direction): void {
    direction.urgent = true;
    setInt(direction.from, SOL_SOCKET, SO_OOBINLINE, 1);
  }

  /** Both directions, as far as they go; ends the session when both have finished. */
  #pump(session: Session): void {
    if (session.state === RESETTING) return this.#pumpDying(session);
    const up = this.#relay.pump(session.up);
    if (up < 0 || session.up.failure < 0) return this.#pumpFailed(session, session.up);
    const down = this.#relay.pump(session.down);
    if (down < 0 || session.down.failure < 0) return this.#pumpFailed(session, session.down);
    if (session.up.finished && session.down.finished) return this.#end(session, false, COUNTER.closed);
    if (up === MORE || down === MORE) this.#enqueue(session);
    if (session.state === OPEN && (session.up.finished || session.down.finished)) {
      session.state = HALF_CLOSED;
      this.#wheel.schedule(session, this.#context.clock.tick + this.#context.settings.halfClosedTicks);
    }
  }

  #enqueue(session: Session): void {
    if (session.queued) return;
    session.queued = true;
    this.#queue.push(session);
  }

  /** If it was not the source that failed, it was the target, and what that one has sent is to be passed on. */
  #pumpFailed(session: Session, direction: Direction): void {
    const opposite = direction === session.up ? session.down : session.up;
    this.#reset(session, direction.failure < 0 ? direction : opposite);
  }

  /** One side was reset or died: `dying` leads away from it. What it had sent still belongs to the other side. */
  #reset(session: Session, dying: Direction): void {
    session.state = RESETTING;
    session.dying = dying;
    session.startedTick = this.#context.clock.tick;
    // Whoever met the error first has taken it from the socket: reading might end as if nothing had happened.
    if (dying.failure === 0) dying.failure = -ECONNRESET;
    dying.readable = dying.hungUp = true;
    this.#pumpDying(session);
  }

  #pumpDying(session: Session): void {
    const dying = session.dying!;
    const returned = this.#relay.pump(dying);
    if (returned === MORE) this.#enqueue(session);
    const passedOn = returned < 0 || dying.finished;
    if (passedOn && unacknowledgedBytes(dying.to) <= 0) this.#end(session, true, COUNTER.reset);
    else this.#wheel.schedule(session, this.#context.clock.tick + 1); // nothing tells when the other side has acknowledged
  }

  #due(session: Session): void {
    const now = this.#context.clock.tick;
    if (session.state === RESETTING && now - session.startedTick < this.#resettingTicks) {
      return this.#pumpDying(session);
    }
    if (!session.keptAlive && session.state !== CONNECTING) {
      session.keptAlive = true;
      keepAlive(session.upstreamFd);
    }
    const due = this.#dueTick(session);
    if (now < due) return this.#wheel.schedule(session, due);
    if (session.state === CONNECTING && this.#dialAgain(session, ETIMEDOUT)) return;
    const counter = session.state === CONNECTING
      ? COUNTER.timedOut
      : session.state === RESETTING
      ? COUNTER.reset
      : COUNTER.expired;
    if (session.description !== null && counter !== COUNTER.reset) {
      this.#context.log.debug(
        counter === COUNTER.timedOut ? "connect timeout" : "idle timeout",
        session.description,
      );
    }
    this.#end(session, true, counter);
  }

  #dueTick(session: Session): number {
    switch (session.state) {
      case CONNECTING:
        return session.startedTick + this.#context.settings.connectTicks;
      case OPEN:
        return session.activeTick + this.#context.settings.idleTicks;
      case HALF_CLOSED:
        return session.activeTick + this.#context.settings.halfClosedTicks;
      default:
        return session.startedTick + this.#resettingTicks;
    }
  }

  #end(session: Session, reset: boolean, counter: number): void {
    this.#counters[counter]++;
    if (session.description !== null) {
      this.#context.log.debug(reset ? "connection reset" : "connection closed", session.description);
    }
    this.#wheel.remove(session);
    this.#relay.release(session.up);
    this.#relay.release(session.down);
    if (reset) {
      resetOnClose(session.clientFd);
      resetOnClose(session.upstreamFd);
    }
    closeFd(session.clientFd);
    closeFd(session.upstreamFd);
    this.#perClient.remove(session.client, 0);
    this.#table.close(session);
    this.#context.shared.addLive(-1);
  }
}
