/**
 * Things of the process that outlive the threads of workers: the descriptor limit, listeners, memory.
 * @module
 */
import { descriptorLimit, raiseDescriptorLimit } from "../../ffi/process.ts";
import { CLIENT_PRIORITY } from "../constants.ts";
import type { Config } from "../config/types.ts";
import type { Logger } from "../log.ts";
import { Marks } from "../marks.ts";
import type { Family } from "../net/ip.ts";
import type { LastingSockets } from "./handover/sockets.ts";
import { netlinkServer } from "../netlink/served/server.ts";
import type { AskingSockets, WorkerParts } from "./orders.ts";
import { Columns } from "./shared/columns.ts";
import { allocateMemory, type SharedMemory } from "./shared/memory.ts";
import { type DemandConfig, largestCapacity } from "./sizing/demand.ts";
import { adoptAsking, openQuestionSockets } from "./sockets/questions.ts";
import { openListeners, type WorkerSockets } from "./sockets/listeners.ts";

/** Returns the limit of open descriptors, raised as far as it goes. */
export function raiseDescriptors(log: Logger): number {
  const raised = raiseDescriptorLimit();
  if (raised < 0) log.warn("cannot raise the descriptor limit", { errno: -raised });
  const limit = descriptorLimit();
  return typeof limit === "number" ? 1024 : limit.soft;
}

/** Facts that the sockets follow from, besides the config. */
export interface ListenOptions {
  readonly families: readonly Family[];
  readonly workers: number;
  /** Set where first packets ask. */
  readonly asking: boolean;
}

/** Opens the listeners of all workers. Throws an OperationError. */
export function listen(
  config: Config,
  { families, workers, asking }: ListenOptions,
): WorkerSockets[] {
  return openListeners({
    protocols: config.intercept.protocols,
    families,
    port: config.listener.port,
    workers,
    // A mark would be seen by everybody's routing rules; rules of "early" know no other sign.
    signs: asking
      ? { mark: 0, priority: CLIENT_PRIORITY }
      : { mark: new Marks(config.kernel.mark).clientSocket },
    asking,
  });
}

/** Opens all sockets of the workers that outlive them. Throws an OperationError. */
export function openAll(config: Config, options: ListenOptions): LastingSockets[] {
  const sockets = listen(config, options);
  const asking = openAsking(config, options);
  return sockets.map((own, worker) => ({ own, asking: asking[worker] ?? null }));
}

/** Goes on with the sockets of a worker of another process. Throws an OperationError. */
export function adoptLasting({ own, asking }: LastingSockets): LastingSockets {
  return { own, asking: asking === null ? null : adoptAsking(asking) };
}

/** Opens the sockets by which each worker is asked. Throws an OperationError. */
export function openAsking(config: Config, { families, workers, asking }: ListenOptions): AskingSockets[] {
  if (!asking) return [];
  const { router } = new Marks(config.kernel.mark, { apart: true });
  return openQuestionSockets({ port: config.listener.port, workers, families, mark: router });
}

/** Reserves for as many sessions as the descriptors allow, since an adoption may raise the limits. */
export function allocateFor(
  config: DemandConfig,
  machine: { readonly descriptors: number; readonly workers: number },
): SharedMemory {
  const most = (udpSessions: number) =>
    largestCapacity({ ...config, limits: { ...config.limits, udpSessions } }, machine);
  return allocateMemory({
    workers: machine.workers,
    connections: most(0).connections,
    udpSessions: most(Infinity).udpSessions,
  });
}

/** Returns for how many connections there is room in it: all may come to the same worker. */
export function roomOf({ ledgers }: SharedMemory): number {
  return new Columns(ledgers[0].tcp).rows;
}

/** Returns the parts of a worker that follow from the config, and its own sockets. */
export function partsOf(
  config: Config,
  { tcp, udp, senders, errorSenders }: WorkerSockets,
  asking: AskingSockets | null,
): Pick<WorkerParts, "listeners" | "udp" | "asking" | "upstreamMark" | "netlink"> {
  return {
    netlink: netlinkServer(),
    listeners: tcp,
    udp: config.intercept.protocols.includes("udp") ? { listeners: udp, senders, errorSenders } : null,
    asking,
    upstreamMark: upstreamMark(config),
  };
}

/**
 * SO_MARK of sockets towards servers, by which rules for the router's own traffic know them; 0: there are
 * none.
 */
export function upstreamMark({ intercept, kernel }: Config): number {
  return intercept.routerTraffic ? new Marks(kernel.mark).serverSocket : 0;
}
