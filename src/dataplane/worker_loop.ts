/**
 * A worker's life: puts its services together and turns their loop until the main thread says stop.
 * @module
 */
import { errnoCode } from "../net/errno.ts";
import { makeContext, type WorkerContext } from "./context.ts";
import { Decider } from "./decider.ts";
import { obey } from "./obey.ts";
import { OrderBox } from "./order_box.ts";
import type { WorkerMessage, WorkerStart } from "./orders.ts";
import { COUNTER } from "./shared/state.ts";
import { OwnAddresses } from "./sockets/own_addresses.ts";
import { TcpAcceptor } from "./tcp/accept.ts";
import { TcpSessions } from "./tcp/sessions.ts";
import { UdpService } from "./udp/service.ts";
import { DirectUpstream } from "./upstream/direct.ts";
import type { WorkerLogger } from "./worker_log.ts";

/** Ties of a worker besides its parts. */
export interface WorkerTies {
  /** Orders come through it. */
  readonly port: MessagePort;
  readonly log: WorkerLogger;
  readonly post: (message: WorkerMessage) => void;
}

/** A worker that is ready to start. */
interface Worker {
  readonly context: WorkerContext;
  readonly tcp: TcpSessions;
  readonly udp: UdpService | null;
  readonly own: OwnAddresses | null;
  /** The order to end that it was given. */
  readonly told: { end: "drain" | "stop" | null };
}

/**
 * Runs a worker to its end: until it is told to stop, or to drain and nothing is left to wait for. Returns
 * null, or what has failed. Throws what a part of it throws. A worker that fails leaves its listeners, and
 * its sessions' descriptors in the ledgers, to whoever comes after it.
 */
export function runWorkerLoop(start: WorkerStart, ties: WorkerTies): string | null {
  const worker = assemble(start, ties);
  try {
    const failure = turn(worker, ties.post);
    if (failure !== null) abandon(worker);
    return failure;
  } catch (error) {
    abandon(worker);
    throw error;
  }
}

function assemble({ parts, adoption }: WorkerStart, { port, log, post }: WorkerTies): Worker {
  const { index, memory, upstreamMark } = parts;
  const { settings, policy, totals } = adoption;
  const context = makeContext({ index, memory, totals, log, settings, policy });
  const { loop } = context;
  const own = upstreamMark === 0 ? null : new OwnAddresses(context.clock);
  const router = own === null ? null : { mark: upstreamMark, own };
  const tcp = new TcpSessions(context, {
    pipes: parts.pipes,
    upstream: new DirectUpstream(context, router),
  });
  const udp = parts.udp === null ? null : new UdpService(context, { sockets: parts.udp, router });
  const told: Worker["told"] = { end: null };
  const obedience = {
    context,
    tcp,
    udp,
    setLogLevel: log.setLevel,
    adopted: (number: number) => post({ kind: "adopted", number }),
    end: (kind: "drain" | "stop") => void (told.end = kind),
  };
  loop.add(
    new TcpAcceptor(context, {
      listeners: parts.listeners,
      sessions: tcp,
      decider: new Decider(context, own),
    }),
  );
  loop.add(tcp);
  if (udp !== null) loop.add(udp);
  loop.add(new OrderBox(context, { port, wakeFd: parts.wakeFd, obey: (order) => obey(order, obedience) }));
  return { context, tcp, udp, own, told };
}

function turn({ context, own, told }: Worker, post: WorkerTies["post"]): string | null {
  const { loop, counters } = context;
  const started = loop.start();
  if (started < 0) return `epoll: ${errnoCode(-started)}`;
  post({ kind: "ready" });
  for (let over = false; !over;) {
    const returned = loop.turn();
    if (returned < 0) return `epoll_wait: ${errnoCode(-returned)}`;
    counters[COUNTER.turns]++;
    if (told.end === null) continue;
    loop.drain();
    over = told.end === "stop" || loop.idle();
  }
  loop.close();
  own?.close();
  return null;
}

/** Closes what nobody else knows of. Each part may be what has failed. */
function abandon({ context, tcp, own }: Worker): void {
  for (const close of [() => tcp.abandon(), () => context.loop.abandon(), () => own?.close()]) {
    try {
      close();
    } catch {
      // The first failure is the one that is told.
    }
  }
}
