/**
 * What a worker is told when it starts: plain data, so that it can be posted to another thread.
 * @module
 */
import type { LogLevel } from "../log.ts";
import type { Settings } from "./settings.ts";

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

/** The sockets of a worker for UDP. */
export interface UdpSockets {
  readonly listeners: readonly ListenerHandle[];
  /** The raw sockets through which clients are answered; -1: not this family. */
  readonly senders: RawSockets;
  /** The raw sockets through which clients are told of errors. */
  readonly errorSenders: RawSockets;
}

/** What a worker may have of pipes. */
export interface PipeOptions {
  readonly limit: number;
  /** Bytes. */
  readonly size: number;
}

/** A worker's orders. */
export interface WorkerOptions {
  readonly index: number;
  /** The buffer of the SharedState. */
  readonly shared: SharedArrayBuffer;
  readonly listeners: readonly ListenerHandle[];
  /** null: UDP is not relayed. */
  readonly udp: UdpSockets | null;
  /** An eventfd that wakes the worker. */
  readonly wakeFd: number;
  /** SO_MARK of the sockets towards servers; 0: none, and no client is a program on the router itself. */
  readonly upstreamMark: number;
  readonly pipes: PipeOptions;
  readonly logLevel: LogLevel;
  /** Those that it begins with. */
  readonly settings: Settings;
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
