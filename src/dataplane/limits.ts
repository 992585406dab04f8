/**
 * How many connections and pipes the descriptor limit allows. Pure.
 * @module
 */

/** Descriptors for everything that is not a connection: runtime, listeners, epoll, netlink, logs. */
export const RESERVED_DESCRIPTORS = 64;
/** Each worker's epoll, eventfd, listeners, and what its thread's runtime opens. */
const DESCRIPTORS_PER_WORKER = 16;
/** A connection: the client's socket and the upstream's. */
const DESCRIPTORS_PER_CONNECTION = 2;
/** A quarter of the descriptors may be pipes; a direction that gets none copies instead of splicing. */
const PIPE_SHARE = 0.25;

/** What a process with so many descriptors can do. */
export interface Capacity {
  /** Live connections of all workers. */
  readonly connections: number;
  /** Pipes of one worker. */
  readonly pipesPerWorker: number;
}

/**
 * The capacity of a process. `wanted` is the configured limit; it is cut to what the descriptors allow.
 * With 20,000 descriptors: 7,400 connections and 2,400 pipes.
 */
export function capacity(
  options: { descriptors: number; workers: number; wanted: "auto" | number },
): Capacity {
  const free = Math.max(
    0,
    options.descriptors - RESERVED_DESCRIPTORS - options.workers * DESCRIPTORS_PER_WORKER,
  );
  const possible = Math.max(1, Math.floor(free * (1 - PIPE_SHARE) / DESCRIPTORS_PER_CONNECTION));
  const connections = options.wanted === "auto" || options.wanted === 0
    ? possible
    : Math.min(options.wanted, possible);
  const pipes = Math.floor((free - connections * DESCRIPTORS_PER_CONNECTION) / 2);
  return { connections, pipesPerWorker: Math.max(0, Math.floor(pipes / options.workers)) };
}
