/**
 * What a worker is told when it starts: plain data, so that it can be posted to another thread.
 * @module
 */
import type { LogLevel, Source } from "../config/types.ts";

/** A listener that the main thread has opened. Descriptors belong to the process, so any thread may use them. */
export interface ListenerHandle {
  readonly fd: number;
  /** Its own address in C's layout, 32 bytes: a connection to it has no original destination. null: that does not matter. */
  readonly address: Uint8Array<ArrayBuffer> | null;
}

/** A worker's orders. */
export interface WorkerOptions {
  readonly index: number;
  /** The buffer of the SharedState. */
  readonly shared: SharedArrayBuffer;
  readonly listeners: readonly ListenerHandle[];
  /** An eventfd that wakes the worker. */
  readonly wakeFd: number;
  readonly source: Source;
  /** Live connections of all workers together. */
  readonly maxConnections: number;
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
  "index" | "shared" | "maxPipes" | "pipeSize" | "connectMs" | "idleMs" | "halfClosedMs"
>;

/** The part of them that is about new connections. */
export type AcceptOptions = Pick<WorkerOptions, "index" | "shared" | "listeners" | "maxConnections">;

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
