/**
 * Starts the workers, passes their log lines on, and ends them.
 * @module
 */
import { openEventFd, signalEventFd } from "../../ffi/epoll.ts";
import { descriptorLimit, raiseDescriptorLimit } from "../../ffi/process.ts";
import { closeFd } from "../../ffi/sockets/socket.ts";
import type { Config } from "../config/types.ts";
import type { Logger } from "../log.ts";
import { Marks } from "../marks.ts";
import { check, OperationError } from "../net/error.ts";
import type { Family } from "../net/ip.ts";
import { demandOf } from "./sizing/demand.ts";
import { capacity } from "./sizing/limits.ts";
import { openListeners } from "./sockets/listeners.ts";
import type { WorkerMessage, WorkerOptions } from "./orders.ts";
import { settingsOf } from "./settings.ts";
import { COUNTER, type Counter, PHASE_DRAIN, PHASE_STOP, SharedState } from "./shared/state.ts";

/** Bytes of a splice pipe: 64 KiB, the kernel's default. */
const PIPE_SIZE = 65536;

/** What a data plane is started with. */
export interface DataplaneOptions {
  readonly config: Config;
  /** How many: what `countWorkers` makes of the config. */
  readonly workers: number;
  /** The families to listen in, if not those of the config. */
  readonly families?: readonly Family[];
  readonly log: Logger;
  /** The module of a worker: `worker.ts`, or what it was bundled to. */
  readonly workerUrl: URL;
}

/** A running data plane. */
export interface Dataplane {
  readonly workers: number;
  /** Live connections that it allows. */
  readonly maxConnections: number;
  /** Live UDP sessions that it allows. */
  readonly maxUdpSessions: number;
  /** RLIMIT_NOFILE as it is now. */
  readonly descriptors: number;
  /** Live connections. */
  live(): number;
  /** Live UDP sessions. */
  udpLive(): number;
  /** How often each worker's loop has turned so far; -1: it has ended. */
  turns(): number[];
  /** Makes a worker's loop turn, if it sleeps. */
  wake(worker: number): void;
  counters(): Record<Counter, number>;
  /** Accepts nothing new; live connections go on. {@linkcode ended} resolves when the last has ended. */
  drain(): void;
  /** Resets what is left and ends. */
  stop(): void;
  /** Resolves when all workers have ended as they were told; rejects when one has failed. */
  readonly ended: Promise<void>;
}

/** Raises the descriptor limit, listens, starts the workers. Throws OperationError if one of it fails. */
export async function startDataplane(options: DataplaneOptions): Promise<Dataplane> {
  const { config, log, workers } = options;
  const raised = raiseDescriptorLimit();
  if (raised < 0) log.warn("cannot raise the descriptor limit", { errno: -raised });
  const limit = descriptorLimit();
  const descriptors = typeof limit === "number" ? 1024 : limit.soft;
  const { protocols } = config.intercept;
  const { connections, pipesPerWorker, udpSessions } = capacity({
    descriptors,
    workers,
    ...demandOf(config),
  });
  const marks = new Marks(config.kernel.mark);
  const shared = new SharedState(workers);
  const sockets = openListeners({
    protocols,
    families: options.families ?? config.intercept.families,
    port: config.listener.port,
    workers,
    mark: marks.clientSocket,
  });
  const wakeFds = sockets.map(() => check(openEventFd(), "create", "eventfd"));
  const settings = settingsOf(config, { connections, udpSessions });
  const orders = sockets.map(({ tcp, udp, senders, errorSenders }, index): WorkerOptions => ({
    index,
    shared: shared.buffer,
    listeners: tcp,
    udp: protocols.includes("udp") ? { listeners: udp, senders, errorSenders } : null,
    wakeFd: wakeFds[index],
    upstreamMark: config.intercept.routerTraffic ? marks.serverSocket : 0,
    pipes: { limit: pipesPerWorker, size: PIPE_SIZE },
    logLevel: log.level,
    settings,
  }));

  const threads = orders.map((order) => startThread(order, { url: options.workerUrl, log, shared }));
  function setPhase(phase: number): void {
    if (phase <= shared.phase) return;
    shared.phase = phase;
    for (const fd of wakeFds) signalEventFd(fd);
  }
  // One that has failed ends the others.
  for (const thread of threads) thread.ended.catch(() => setPhase(PHASE_STOP));
  const ended = Promise.allSettled(threads.map((thread) => thread.ended)).then((results) => {
    // Emptied: a later stop() must not write to descriptors that have become somebody else's.
    for (const fd of wakeFds.splice(0)) closeFd(fd);
    for (const result of results) if (result.status === "rejected") throw result.reason;
  });
  ended.catch(() => {}); // told to whoever waits for it
  await Promise.race([Promise.all(threads.map((thread) => thread.ready)), ended]);
  return {
    workers,
    maxConnections: connections,
    maxUdpSessions: udpSessions,
    descriptors,
    live: () => shared.live,
    udpLive: () => shared.udpLive,
    turns: () => threads.map(({ isOver }, index) => isOver() ? -1 : shared.row(index)[COUNTER.turns]),
    wake: (worker) => void (worker < wakeFds.length && signalEventFd(wakeFds[worker])),
    counters: () => shared.totals(),
    drain: () => setPhase(PHASE_DRAIN),
    stop: () => setPhase(PHASE_STOP),
    ended,
  };
}

function startThread(
  order: WorkerOptions,
  context: { url: URL; log: Logger; shared: SharedState },
): { ready: Promise<void>; ended: Promise<void>; isOver(): boolean } {
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  let over = false;
  const worker = new Worker(context.url, { type: "module", name: `tproxy ${order.index}` });
  const fail = (reason: string) => {
    over = true;
    ended.reject(
      new OperationError({ operation: "run worker", object: String(order.index), reason }),
    );
  };
  worker.onerror = (event) => {
    event.preventDefault();
    fail(event.message);
  };
  worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
    switch (data.kind) {
      case "ready":
        return ready.resolve();
      case "stopped":
        over = true;
        return ended.resolve();
      case "failed":
        return fail(data.reason);
      case "log":
        context.shared.addPendingLogs(-1);
        context.log[data.level](data.message, data.fields);
    }
  };
  worker.postMessage(order);
  return { ready: ready.promise, ended: ended.promise, isOver: () => over };
}
