/**
 * A worker's life: puts its services together and turns their loop until the main thread says stop.
 * @module
 */
import type { Logger } from "../log.ts";
import { errnoCode } from "../net/errno.ts";
import { makeContext } from "./context.ts";
import type { WorkerOptions } from "./orders.ts";
import { COUNTER, PHASE_RUN, PHASE_STOP, SharedState } from "./shared/state.ts";
import { OwnAddresses } from "./sockets/own_addresses.ts";
import { TcpAcceptor } from "./tcp/accept.ts";
import { TcpSessions } from "./tcp/sessions.ts";
import { UdpRelay } from "./udp/service.ts";
import { Dialler } from "./upstream/direct.ts";
import { Wake } from "./wake.ts";

/**
 * Runs a worker to its end: PHASE_STOP, or PHASE_DRAIN and nothing left to wait for. `ready` is called when it listens. Returns
 * null, or what has failed.
 */
export function runWorkerLoop(options: WorkerOptions, log: Logger, ready: () => void): string | null {
  const { index, settings, upstreamMark } = options;
  const shared = new SharedState(options.shared);
  const context = makeContext({ index, shared, log, settings });
  const { loop, counters } = context;
  const router = upstreamMark === 0 ? null : { mark: upstreamMark, own: new OwnAddresses(context.clock) };
  const dialler = new Dialler(context, router);
  const sessions = new TcpSessions(context, { pipes: options.pipes, dialler });
  loop.add(new Wake(context, options.wakeFd));
  loop.add(new TcpAcceptor(context, { listeners: options.listeners, sessions, dialler }));
  loop.add(sessions);
  if (options.udp !== null) loop.add(new UdpRelay(context, options.udp, router));
  const started = loop.start();
  if (started < 0) return `epoll: ${errnoCode(-started)}`;
  ready();
  for (let over = false; !over;) {
    const returned = loop.turn();
    if (returned < 0) return `epoll_wait: ${errnoCode(-returned)}`;
    counters[COUNTER.turns]++;
    if (shared.phase === PHASE_RUN) continue;
    loop.drain();
    over = shared.phase === PHASE_STOP || loop.idle();
  }
  loop.close();
  router?.own.close();
  return null;
}
