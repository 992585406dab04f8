/**
 * What a worker is told when it starts: plain data, so that it can be posted to another thread.
 * @module
 */
import type { Source } from "../config/types.ts";
import type { LogLevel } from "../log.ts";

/** A listener that the main thread has opened. Descriptors belong to the process, so any thread may use them. */
export interface ListenerHandle {
  readonly fd: number;
  /** Its own address in C's layout, 32 bytes: a connection to it has no original destination. */
  readonly address: Uint8Array<ArrayBuffer>;
}

/** A raw socket for each family, -1 for none. */
export interface RawSockets {
  readonly ipv4: number;
  readonly ipv6: number;
}

/** What a worker needs for UDP. */
export interface UdpOptions {
  readonly listeners: readonly ListenerHandle[];
  /** The raw sockets through which clients are answered; -1: not this family. */
  readonly senders: RawSockets;
  /** The raw sockets through which clients are told of errors. */
  readonly errorSenders: RawSockets;
  /** Live sessions of all workers together. */
  readonly maxSessions: number;
  /** Whether answers come only from where the client has sent to. */
  readonly filter: boolean;
  /** Whether TOS and traffic class are carried over. */
  readonly tos: boolean;
  /** Milliseconds. */
  readonly idleMs: number;
  readonly dnsMs: number;
}

/** A worker's orders. */
export interface WorkerOptions {
  readonly index: number;
  /** The buffer of the SharedState. */
  readonly shared: SharedArrayBuffer;
  readonly listeners: readonly ListenerHandle[];
  /** null: UDP is not relayed. */
  readonly udp: UdpOptions | null;
  /** An eventfd that wakes the worker. */
  readonly wakeFd: number;
  readonly source: Source;
  /** SO_MARK of the sockets towards servers; 0: none, and no client is a program on the router itself. */
  readonly upstreamMark: number;
  /** Live connections of all workers together. */
  readonly maxConnections: number;
  /** Live connections, and live UDP sessions, of one client over all workers; 0: no limit. */
  readonly perClient: number;
  readonly maxPipes: number;
  /** Bytes. */
  readonly pipeSize: number;
  /** Milliseconds. */
  readonly connectMs: number;
  readonly idleMs: number;
  readonly halfClosedMs: number;
  readonly logLevel: LogLevel;
}

/** The part of them that is about live sessions. */
export type SessionOptions = Pick<
  WorkerOptions,
  "index" | "shared" | "perClient" | "maxPipes" | "pipeSize" | "connectMs" | "idleMs" | "halfClosedMs"
>;

/** The part of them that is about new connections. */
export interface AcceptOptions
  extends Pick<WorkerOptions, "index" | "shared" | "maxConnections" | "perClient"> {
  /** Their addresses; null where connections to the listener itself are as good as others. */
  readonly listeners: readonly { readonly fd: number; readonly address: Uint8Array<ArrayBuffer> | null }[];
  /** At most so many are accepted per turn and listener. */
  readonly acceptsPerTurn?: number | undefined;
}

/** What a worker tells the main thread. */
export type WorkerMessage =
  | { readonly kind: "ready" }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly reason: string }
  | {
    readonly kind: "log";
    readonly level: LogLevel;
    readonly message: string;
    readonly fields: Record<string, string | number | boolean>;
  };
