/**
 * A worker's loop: one blocking epoll_wait per turn, until the main thread says stop.
 * @module
 */
import { EINTR, EPOLLIN } from "../../ffi/consts.ts";
import { addToEpoll, drainEventFd, EpollEvents, openEpoll } from "../../ffi/epoll.ts";
import { closeFd } from "../../ffi/sockets/socket.ts";
import type { Logger } from "../log.ts";
import { errnoCode } from "../net/errno.ts";
import { Clock } from "./loop/clock.ts";
import { Dialler } from "./upstream/direct.ts";
import type { WorkerOptions } from "./orders.ts";
import { OwnAddresses } from "./sockets/own_addresses.ts";
import { COUNTER, PHASE_DRAIN, PHASE_RUN, PHASE_STOP, SharedState } from "./shared/state.ts";
import { TcpAcceptor } from "./tcp/accept.ts";
import { TcpSessions } from "./tcp/sessions.ts";
import { UDP_LISTENER_KEY, UdpRelay } from "./udp/service.ts";
import { UDP_SESSION_KEY } from "./udp/sessions.ts";

const EVENTS_PER_TURN = 256;
/** Keys of events with tag 0: the numbers of the TCP listeners, those of UDP from UDP_LISTENER_KEY on, and this. */
const WAKE_KEY = 0xffff;

/** The sooner of two waits in milliseconds, where -1 is for ever. */
function sooner(a: number, b: number): number {
  return a < 0 ? b : b < 0 ? a : Math.min(a, b);
}

/**
 * Runs a worker to its end: PHASE_STOP, or PHASE_DRAIN and no session left. `ready` is called when it listens. Returns null,
 * or what has failed.
 */
export function runWorkerLoop(options: WorkerOptions, log: Logger, ready: () => void): string | null {
  const shared = new SharedState(options.shared);
  const epoll = openEpoll();
  if (epoll < 0) return `epoll_create1: ${errnoCode(-epoll)}`;
  const clock = new Clock();
  const sessions = new TcpSessions(options, { epoll, clock, log });
  const counters = shared.row(options.index);
  const router = options.upstreamMark === 0
    ? null
    : { mark: options.upstreamMark, own: new OwnAddresses(clock) };
  const dialler = new Dialler(options.source, () => counters[COUNTER.portChanged]++, router);
  const acceptor = new TcpAcceptor(options, { epoll, clock, log, sessions, dialler });
  const udp = options.udp === null ? null : new UdpRelay(options, options.udp, { epoll, clock, log, router });
  let returned = addToEpoll(epoll, options.wakeFd, EPOLLIN, WAKE_KEY, 0);
  if (returned >= 0) returned = acceptor.start();
  if (returned >= 0 && udp !== null) returned = udp.start();
  if (returned < 0) return `epoll_ctl: ${errnoCode(-returned)}`;
  ready();

  const events = new EpollEvents(EVENTS_PER_TURN);
  let accepting = true;
  for (;;) {
    const patience = sooner(sessions.patience(), acceptor.patience());
    const count = events.wait(epoll, udp === null ? patience : sooner(patience, udp.patience()));
    if (count < 0 && count !== -EINTR) return `epoll_wait: ${errnoCode(-count)}`;
    clock.update();
    counters[COUNTER.turns]++;
    for (let i = 0; i < count; i++) {
      const tag = events.tag(i);
      const key = events.key(i);
      if (tag !== 0) {
        if ((key & UDP_SESSION_KEY) !== 0) udp!.event(key, tag, events.bits(i));
        else sessions.event(key, tag, events.bits(i));
      } else if (key === WAKE_KEY) drainEventFd(options.wakeFd);
      else if (key >= UDP_LISTENER_KEY) udp!.receive(key);
      else acceptor.accept(key);
    }
    sessions.turn();
    acceptor.turn();
    if (udp !== null) udp.turn();
    const phase = shared.phase;
    if (phase === PHASE_RUN) continue;
    if (accepting) {
      acceptor.stop();
      udp?.stop();
    }
    accepting = false;
    const drained = sessions.size === 0 && (udp === null || udp.isQuiet());
    if (phase === PHASE_STOP || (phase === PHASE_DRAIN && drained)) break;
  }
  sessions.abortAll();
  udp?.close();
  router?.own.close();
  closeFd(epoll);
  return null;
}
