/**
 * What the main thread and the workers share: a SharedArrayBuffer of control words and counters.
 * @module
 */

import { PER_CLIENT_WORDS, preparePerClient } from "./per_client.ts";

/** What the workers are told to do. */
export const PHASE_RUN = 0;
/** Accept nothing new, let live connections end. */
export const PHASE_DRAIN = 1;
/** End now. */
export const PHASE_STOP = 2;

// Control words, Int32.
const PHASE = 0;
const LIVE = 1;
const PENDING_LOGS = 2;
const UDP_LIVE = 3;
const CONTROL_WORDS = 16; // a cache line of their own

/**
 * The counters of a worker. All only grow. `turns` are those of its loop: by them it is seen to be alive. Bytes are those of payload, per direction; `udpUp` and `udpDown` are datagrams that were
 * sent on, `udpDropped` those that could not be, `udpFiltered` those from where the client has not sent to.
 */
export const COUNTERS = [
  "accepted",
  "connected",
  "refused",
  "timedOut",
  "failed",
  "looped",
  "portChanged",
  "closed",
  "reset",
  "expired",
  "acceptPauses",
  "overLimit",
  "bytesUp",
  "bytesDown",
  "logsDropped",
  "udpOpened",
  "udpClosed",
  "udpExpired",
  "udpEvicted",
  "udpRefused",
  "udpUp",
  "udpDown",
  "udpDropped",
  "udpFiltered",
  "udpBytesUp",
  "udpBytesDown",
  "turns",
] as const;

/** The name of a counter. */
export type Counter = typeof COUNTERS[number];

/** The counters' places in a worker's row. */
export const COUNTER = Object.fromEntries(COUNTERS.map((name, index) => [name, index])) as Readonly<
  Record<Counter, number>
>;

// A worker's row is padded to whole cache lines, so that two workers never write to the same one.
const ROW = Math.ceil(COUNTERS.length / 8) * 8;
// Before the counters: what each client has, of TCP connections and of UDP sessions.
const TCP_CLIENTS_AT = CONTROL_WORDS * 4;
const UDP_CLIENTS_AT = TCP_CLIENTS_AT + PER_CLIENT_WORDS * 4;
const COUNTERS_AT = UDP_CLIENTS_AT + PER_CLIENT_WORDS * 4;

/** A view on the shared memory; make one per thread from the same buffer. */
export class SharedState {
  readonly buffer: SharedArrayBuffer;
  /** Memory for the {@linkcode PerClient} of TCP connections. */
  readonly tcpClients: Int32Array<SharedArrayBuffer>;
  /** The same of UDP sessions. */
  readonly udpClients: Int32Array<SharedArrayBuffer>;
  readonly #control: Int32Array<SharedArrayBuffer>;
  readonly #counters: Float64Array<SharedArrayBuffer>;

  /** Fresh memory for so many workers, or a view on what another thread made. */
  constructor(from: number | SharedArrayBuffer) {
    this.buffer = typeof from === "number" ? new SharedArrayBuffer(COUNTERS_AT + from * ROW * 8) : from;
    this.#control = new Int32Array(this.buffer, 0, CONTROL_WORDS);
    this.tcpClients = new Int32Array(this.buffer, TCP_CLIENTS_AT, PER_CLIENT_WORDS);
    this.udpClients = new Int32Array(this.buffer, UDP_CLIENTS_AT, PER_CLIENT_WORDS);
    this.#counters = new Float64Array(this.buffer, COUNTERS_AT);
    if (typeof from !== "number") return;
    preparePerClient(this.tcpClients);
    preparePerClient(this.udpClients);
  }

  /** PHASE_RUN, PHASE_DRAIN or PHASE_STOP. */
  get phase(): number {
    return Atomics.load(this.#control, PHASE);
  }

  set phase(phase: number) {
    Atomics.store(this.#control, PHASE, phase);
  }

  /** Live connections of all workers. */
  get live(): number {
    return Atomics.load(this.#control, LIVE);
  }

  /** Adds to the number of live connections; the number after it. */
  addLive(change: number): number {
    return Atomics.add(this.#control, LIVE, change) + change;
  }

  /** Live UDP sessions of all workers. */
  get udpLive(): number {
    return Atomics.load(this.#control, UDP_LIVE);
  }

  /** Adds to the number of live UDP sessions; the number after it. */
  addUdpLive(change: number): number {
    return Atomics.add(this.#control, UDP_LIVE, change) + change;
  }

  /** Adds to the number of log lines on their way to the main thread; the number after it. */
  addPendingLogs(change: number): number {
    return Atomics.add(this.#control, PENDING_LOGS, change) + change;
  }

  /** The counters of one worker: `row[COUNTER.accepted]`. Only that worker writes. */
  row(worker: number): Float64Array<SharedArrayBuffer> {
    return this.#counters.subarray(worker * ROW, worker * ROW + COUNTERS.length);
  }

  /** The sums over all workers. */
  totals(): Record<Counter, number> {
    const sums = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Record<Counter, number>;
    for (let base = 0; base < this.#counters.length; base += ROW) {
      COUNTERS.forEach((name, index) => sums[name] += this.#counters[base + index]);
    }
    return sums;
  }
}
