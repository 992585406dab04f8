/**
 * Numbers of connections, pipes and UDP sessions that the descriptor limit allows. Pure.
 * @module
 */

/**
 * More are of no use: containers often allow a thousand million, and the books of so many sessions are more
 * than any machine has addresses for.
 */
const MOST_DESCRIPTORS = 1 << 20;
/** Descriptors for everything that is not a connection: runtime, listeners, epoll, netlink, logs. */
export const RESERVED_DESCRIPTORS = 64;
/** Each worker's epoll, eventfd, listeners, senders, sockets that ask and are asked; its thread's runtime. */
const DESCRIPTORS_PER_WORKER = 32;
/** A connection: the client's socket and the upstream's. */
const DESCRIPTORS_PER_CONNECTION = 2;
/** Fewer than these are too few for one worker with one connection. */
export const FEWEST_DESCRIPTORS = RESERVED_DESCRIPTORS + DESCRIPTORS_PER_WORKER + DESCRIPTORS_PER_CONNECTION;
/** A quarter of the descriptors may be pipes; a direction that gets none copies instead of splicing. */
const PIPE_SHARE = 0.25;
/** Share of the descriptors that may be UDP sessions, of one descriptor each, where TCP is relayed too. */
const UDP_SHARE = 1 / 3;

/** Capacity of a process with so many descriptors. */
export interface Capacity {
  /** Live connections of all workers. */
  readonly connections: number;
  /** Pipes of one worker. */
  readonly pipesPerWorker: number;
  /** Live UDP sessions of all workers. */
  readonly udpSessions: number;
}

/** Demand on a process. */
export interface Demand {
  /** RLIMIT_NOFILE. */
  readonly descriptors: number;
  readonly workers: number;
  /** `limits.connections`; null: TCP is not relayed. */
  readonly connections: "auto" | number | null;
  /** `limits.udp-sessions`; null: UDP is not relayed. */
  readonly udpSessions: number | null;
}

/**
 * The capacity of a process: what is wanted, cut to what the descriptors allow.
 * With 20,000 descriptors: 4,900 connections, 1,600 pipes and 6,600 UDP sessions.
 */
export function capacity(options: Demand): Capacity {
  const all = Math.max(
    0,
    Math.min(options.descriptors, MOST_DESCRIPTORS) - RESERVED_DESCRIPTORS -
      options.workers * DESCRIPTORS_PER_WORKER,
  );
  const forUdp = Math.max(1, Math.floor(options.connections === null ? all : all * UDP_SHARE));
  const udpSessions = options.udpSessions === null ? 0 : Math.min(options.udpSessions, forUdp);
  if (options.connections === null) return { connections: 0, pipesPerWorker: 0, udpSessions };
  const free = Math.max(0, all - udpSessions);
  const possible = Math.max(1, Math.floor(free * (1 - PIPE_SHARE) / DESCRIPTORS_PER_CONNECTION));
  const connections = options.connections === "auto" || options.connections === 0
    ? possible
    : Math.min(options.connections, possible);
  const pipes = Math.floor((free - connections * DESCRIPTORS_PER_CONNECTION) / 2);
  return { connections, pipesPerWorker: Math.max(0, Math.floor(pipes / options.workers)), udpSessions };
}
