/**
 * The loop of `tproxy redirect`: one thread, the acceptor and the sessions of a worker, and a dialler of its own.
 * @module
 */
import { EINTR } from "../../../ffi/consts.ts";
import { EpollEvents, openEpoll } from "../../../ffi/epoll.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import type { Logger } from "../../log.ts";
import { check } from "../../net/error.ts";
import { Clock } from "../loop/clock.ts";
import type { Dials } from "../upstream/direct.ts";
import type { AcceptOptions, SessionOptions } from "../orders.ts";
import { COUNTER, SharedState } from "../shared/state.ts";
import { TcpAcceptor } from "../tcp/accept.ts";
import { TcpSessions } from "../tcp/sessions.ts";

const EVENTS_PER_TURN = 256;
/** The kernel's default. */
const PIPE_SIZE = 65536;

/** What it works with. */
export interface RedirectLoopOptions {
  /** Descriptors; they are closed at the end. */
  readonly listeners: readonly number[];
  readonly dialler: Dials;
  /** Serve one connection, then end. */
  readonly once: boolean;
  readonly maxConnections: number;
  readonly maxPipes: number;
  /** Milliseconds. */
  readonly connectMs: number;
  readonly idleMs: number;
  readonly halfClosedMs: number;
  readonly log: Logger;
}

/**
 * Serves until one connection has ended, or for ever. It blocks. Whether a client has reached an upstream. Throws OperationError if
 * epoll fails.
 */
export function runRedirectLoop(options: RedirectLoopOptions): boolean {
  const shared = new SharedState(1);
  const counters = shared.row(0);
  const orders: SessionOptions & AcceptOptions = {
    index: 0,
    shared: shared.buffer,
    listeners: options.listeners.map((fd) => ({ fd, address: null })),
    maxConnections: options.maxConnections,
    acceptsPerTurn: options.once ? 1 : undefined,
    perClient: 0,
    maxPipes: options.maxPipes,
    pipeSize: PIPE_SIZE,
    connectMs: options.connectMs,
    idleMs: options.idleMs,
    halfClosedMs: options.halfClosedMs,
  };
  const clock = new Clock();
  const epoll = check(openEpoll(), "create", "epoll");
  const { dialler, log } = options;
  const sessions = new TcpSessions(orders, { epoll, clock, log, dialler });
  const acceptor = new TcpAcceptor(orders, { epoll, clock, log, sessions, dialler });
  try {
    check(acceptor.start(), "listen");
    const events = new EpollEvents(EVENTS_PER_TURN);
    do {
      turn(epoll, { events, clock, sessions, acceptor });
      if (options.once && counters[COUNTER.accepted] > 0) acceptor.close();
    } while (!options.once || counters[COUNTER.accepted] === 0 || sessions.size > 0);
    return counters[COUNTER.connected] > 0;
  } finally {
    acceptor.close();
    sessions.abortAll();
    closeFd(epoll);
  }
}

function turn(
  epoll: number,
  parts: { events: EpollEvents; clock: Clock; sessions: TcpSessions; acceptor: TcpAcceptor },
): void {
  const { events, clock, sessions, acceptor } = parts;
  const waits = [sessions.patience(), acceptor.patience()].filter((wait) => wait >= 0);
  const count = events.wait(epoll, waits.length === 0 ? -1 : Math.min(...waits));
  if (count !== -EINTR) check(count, "wait for", "connections");
  clock.update();
  for (let i = 0; i < count; i++) {
    const tag = events.tag(i);
    if (tag === 0) acceptor.accept(events.key(i));
    else sessions.event(events.key(i), tag, events.bits(i));
  }
  sessions.turn();
  acceptor.turn();
}
