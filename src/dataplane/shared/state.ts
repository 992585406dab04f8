/**
 * Memory that the main thread and the workers share: a SharedArrayBuffer of control words and counters.
 * @module
 */

import { ROUTE_BOARD_WORDS, RouteBoard } from "../routes/route_board.ts";
import { PER_CLIENT_WORDS, preparePerClient } from "./per_client.ts";

// Control words, Int32.
const LIVE = 0;
const UDP_LIVE = 1;
const PENDING_LOGS = 2;
// A worker's own words: its share of the first two, the number of orders that were posted to it, and the
// microseconds of its longest turn.
const ORDERS = 2;
const LONGEST_TURN = 3;
const CONTROL_WORDS = 16; // a cache line of their own
const ROUTES_AT = 8;

/**
 * The counters of a worker. All only grow. `turns` are those of its loop, which show that it is alive;
 * `busyMs` are the milliseconds that they have taken, without sleep.
 * `udpUp` and `udpDown` are datagrams that were sent on, `udpDropped` those that could not be, `udpFiltered`
 * those of senders to which the client has not sent, `failed` and `looped` datagrams for which there could be
 * no session. Of first packets: `questions` that the kernel has asked; of them those `Repeated` while the
 * server is dialled, those `Dropped` since there were too many, those `Lost` before they could be read;
 * `questionsRefused`: refusals that clients were told; `unclaimed`: connections that a server has answered
 * and a client has not completed; `unasked`: those that nobody has asked about. Of connections
 * whose name decides: `sniffTls` and `sniffHttp` that have told one, `sniffNone` that have told none, those
 * whose client has said nothing or too little in time, and those whose server has spoken first. `watched`:
 * connections whose begin was seen; of what was held of these, segments `Passed` on as parts of a head, those
 * that completed one and so `Released` a connection, those `Refused`, and those `Dropped`, which are
 * repeated. Ledgers and totals tell of sessions.
 */
export const COUNTERS = [
  "accepted",
  "connected",
  "failed",
  "looped",
  "portChanged",
  "acceptPauses",
  "overLimit",
  "logsDropped",
  "udpOpened",
  "udpRefused",
  "udpUp",
  "udpDown",
  "udpDropped",
  "udpFiltered",
  "questions",
  "questionsRepeated",
  "questionsDropped",
  "questionsLost",
  "questionsRefused",
  "unclaimed",
  "unasked",
  "sniffTls",
  "sniffHttp",
  "sniffNone",
  "sniffTimeouts",
  "sniffServerFirst",
  "watched",
  "watchPassed",
  "watchReleased",
  "watchRefused",
  "watchDropped",
  "turns",
  "busyMs",
] as const;

/** The name of a counter. */
export type Counter = typeof COUNTERS[number];

/** The counters' places in a worker's row. */
export const COUNTER = Object.fromEntries(COUNTERS.map((name, index) => [name, index])) as Readonly<
  Record<Counter, number>
>;

// A worker's row is padded to whole cache lines, so that two workers never write to the same one.
const ROW = Math.ceil(COUNTERS.length / 8) * 8;
// A worker's own share of the live connections and of the live UDP sessions, a cache line each.
const OWN_WORDS = 16;
// Before these and the counters: what each client has, of TCP connections and of UDP sessions.
const TCP_CLIENTS_AT = CONTROL_WORDS * 4;
const UDP_CLIENTS_AT = TCP_CLIENTS_AT + PER_CLIENT_WORDS * 4;
const WORKERS_AT = UDP_CLIENTS_AT + PER_CLIENT_WORDS * 4;
const WORKER_BYTES = OWN_WORDS * 4 + ROW * 8;

/** A view on the shared memory; make one per thread from the same buffer. */
export class SharedState {
  readonly buffer: SharedArrayBuffer;
  /** Memory for the {@linkcode PerClient} of TCP connections. */
  readonly tcpClients: Int32Array<SharedArrayBuffer>;
  /** The same of UDP sessions. */
  readonly udpClients: Int32Array<SharedArrayBuffer>;
  /** The router's routing. */
  readonly routes: RouteBoard;
  readonly #control: Int32Array<SharedArrayBuffer>;
  readonly #workers: number;
  readonly #own: Int32Array<SharedArrayBuffer>;

  /**
   * Fresh memory for so many workers, or a view on what another thread made. `worker`: whose share of the
   * live ones changes with {@linkcode addLive} and {@linkcode addUdpLive}.
   */
  constructor(from: number | SharedArrayBuffer, worker = 0) {
    this.buffer = typeof from === "number" ? new SharedArrayBuffer(WORKERS_AT + from * WORKER_BYTES) : from;
    this.#workers = (this.buffer.byteLength - WORKERS_AT) / WORKER_BYTES;
    this.#control = new Int32Array(this.buffer, 0, CONTROL_WORDS);
    this.routes = new RouteBoard(new Int32Array(this.buffer, ROUTES_AT * 4, ROUTE_BOARD_WORDS));
    this.tcpClients = new Int32Array(this.buffer, TCP_CLIENTS_AT, PER_CLIENT_WORDS);
    this.udpClients = new Int32Array(this.buffer, UDP_CLIENTS_AT, PER_CLIENT_WORDS);
    this.#own = this.#ownOf(worker);
    if (typeof from !== "number") return;
    preparePerClient(this.tcpClients);
    preparePerClient(this.udpClients);
  }

  /** Live connections of all workers. */
  get live(): number {
    return Atomics.load(this.#control, LIVE);
  }

  /** Adds to the number of live connections; the number after it. */
  addLive(change: number): number {
    this.#own[LIVE] += change;
    return Atomics.add(this.#control, LIVE, change) + change;
  }

  /** Live UDP sessions of all workers. */
  get udpLive(): number {
    return Atomics.load(this.#control, UDP_LIVE);
  }

  /** Adds to the number of live UDP sessions; the number after it. */
  addUdpLive(change: number): number {
    this.#own[UDP_LIVE] += change;
    return Atomics.add(this.#control, UDP_LIVE, change) + change;
  }

  /** Takes all that a worker had from the live ones: it has failed, and writes no more. */
  forgetLive(worker: number): void {
    const own = this.#ownOf(worker);
    for (const word of [LIVE, UDP_LIVE]) {
      Atomics.sub(this.#control, word, own[word]);
      own[word] = 0;
    }
  }

  /** The number of orders that were posted to this worker's thread; it wraps around as an Int32 does. */
  get orders(): number {
    return Atomics.load(this.#own, ORDERS);
  }

  /** Counts an order that was posted to a worker. */
  countOrder(worker: number): void {
    Atomics.add(this.#ownOf(worker), ORDERS, 1);
  }

  /** Begins to count anew: the worker gets another thread. */
  forgetOrders(worker: number): void {
    Atomics.store(this.#ownOf(worker), ORDERS, 0);
  }

  /** Notes, as the worker, the milliseconds of a turn. */
  noteTurn(ms: number): void {
    const microseconds = Math.min(0x7fffffff, Math.round(ms * 1000)) | 0;
    if (microseconds > this.#own[LONGEST_TURN]) Atomics.store(this.#own, LONGEST_TURN, microseconds);
  }

  /** Returns the milliseconds of a worker's longest turn since this was asked last. */
  takeLongestTurn(worker: number): number {
    return Atomics.exchange(this.#ownOf(worker), LONGEST_TURN, 0) / 1000;
  }

  /** Adds to the number of log lines on their way to the main thread; the number after it. */
  addPendingLogs(change: number): number {
    return Atomics.add(this.#control, PENDING_LOGS, change) + change;
  }

  /** The counters of one worker: `row[COUNTER.accepted]`. Only that worker writes. */
  row(worker: number): Float64Array<SharedArrayBuffer> {
    const at = WORKERS_AT + worker * WORKER_BYTES + OWN_WORDS * 4;
    return new Float64Array(this.buffer, at, COUNTERS.length);
  }

  /** The sums over all workers. */
  sums(): Record<Counter, number> {
    const sums = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Record<Counter, number>;
    for (let worker = 0; worker < this.#workers; worker++) {
      const row = this.row(worker);
      COUNTERS.forEach((name, index) => sums[name] += row[index]);
    }
    return sums;
  }

  #ownOf(worker: number): Int32Array<SharedArrayBuffer> {
    return new Int32Array(this.buffer, WORKERS_AT + worker * WORKER_BYTES, OWN_WORDS);
  }
}
