/**
 * TcpSessions without a worker thread: the test makes its turns, one by one.
 * @module
 */
import assert from "node:assert/strict";
import { EpollEvents, openEpoll } from "../../../../ffi/epoll.ts";
import { closeFd } from "../../../../ffi/sockets/socket.ts";
import { Clock } from "../../../../src/dataplane/loop/clock.ts";
import type { Dials } from "../../../../src/dataplane/upstream/direct.ts";
import type { WorkerOptions } from "../../../../src/dataplane/orders.ts";
import { type Counter, SharedState } from "../../../../src/dataplane/shared/state.ts";
import { TcpSessions } from "../../../../src/dataplane/tcp/sessions.ts";
import { createLogger, type Logger } from "../../../../src/log.ts";
import { check } from "../../../../src/net/error.ts";

/** A worker's orders for a test: no listeners, and timeouts that no test reaches by chance. */
export function workerOptions(options: Partial<WorkerOptions> = {}): WorkerOptions {
  return {
    index: 0,
    shared: new SharedState(1).buffer,
    listeners: [],
    udp: null,
    wakeFd: -1,
    source: "router",
    upstreamMark: 0,
    maxConnections: 100,
    perClient: 0,
    maxPipes: 10,
    pipeSize: 65536,
    connectMs: 10_000,
    idleMs: 60_000,
    halfClosedMs: 60_000,
    logLevel: "error",
    ...options,
  };
}

/** The sessions of a worker that the test drives. */
export class SessionBench implements Disposable {
  readonly epoll = check(openEpoll(), "epoll_create1");
  readonly clock = new Clock();
  readonly options: WorkerOptions;
  readonly shared: SharedState;
  readonly log: Logger;
  /** Lines that were logged. */
  readonly lines: string[] = [];
  readonly sessions: TcpSessions;
  /** What becomes of events that are not a session's. */
  onOther: (key: number) => void = () => assert.fail("an event that belongs to no session");
  /** What the worker's loop does besides at the end of each turn. */
  onTurn: () => void = () => {};
  readonly #events = new EpollEvents(64);

  constructor(options: Partial<WorkerOptions> = {}, dialler: Dials | null = null) {
    this.options = workerOptions(options);
    this.shared = new SharedState(this.options.shared);
    this.log = createLogger({
      level: this.options.logLevel,
      format: "text",
      write: (line) => this.lines.push(line),
    });
    const { epoll, clock, log } = this;
    this.sessions = new TcpSessions(this.options, {
      epoll,
      clock,
      log,
      ...(dialler === null ? {} : { dialler }),
    });
  }

  /** Hands a pair of sockets over, as the acceptor does. */
  open(client: number, upstream: number): void {
    this.shared.addLive(1);
    this.sessions.open(client, upstream, new Int32Array(8), null);
  }

  /** A turn of the worker's loop that does not wait; the number of events. */
  turn(): number {
    const count = check(this.#events.wait(this.epoll, 0), "epoll_wait");
    this.clock.update();
    for (let i = 0; i < count; i++) {
      const tag = this.#events.tag(i);
      if (tag === 0) this.onOther(this.#events.key(i));
      else this.sessions.event(this.#events.key(i), tag, this.#events.bits(i));
    }
    this.sessions.turn();
    this.onTurn();
    return count;
  }

  /** Turns until nothing more happens by itself (timers aside). */
  settle(): void {
    for (let quiet = 0; quiet < 3;) {
      quiet = this.turn() === 0 && this.sessions.patience() !== 0 ? quiet + 1 : 0;
    }
  }

  /** Turns until it is true, for at most `seconds`. */
  async until(isTrue: () => boolean, seconds = 3): Promise<void> {
    const end = performance.now() + seconds * 1000;
    for (this.turn(); !isTrue(); this.turn()) {
      assert.ok(performance.now() < end, `not true after ${seconds} s: ${isTrue}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** The counters that are not 0, those of bytes aside. */
  counts(): Partial<Record<Counter, number>> {
    const totals = Object.entries(this.shared.totals());
    return Object.fromEntries(totals.filter(([name, value]) => value !== 0 && !name.startsWith("bytes")));
  }

  /** Bytes relayed. */
  relayed(): { up: number; down: number } {
    const { bytesUp, bytesDown } = this.shared.totals();
    return { up: bytesUp, down: bytesDown };
  }

  [Symbol.dispose](): void {
    this.sessions.abortAll();
    closeFd(this.epoll);
    assert.equal(this.shared.live, 0, "the number of live connections drifts");
  }
}
