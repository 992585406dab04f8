/**
 * The loop and the sessions of a worker, without its thread: the test makes the turns, one by one.
 * @module
 */
import assert from "node:assert/strict";
import { ECONNREFUSED } from "../../../../ffi/consts.ts";
import { makeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { DEFAULT_CONFIG } from "../../../../src/config/defaults.ts";
import type { LogLevel } from "../../../../src/log.ts";
import type { Source } from "../../../../src/config/types.ts";
import type { WorkerContext } from "../../../../src/dataplane/context.ts";
import type { Loop } from "../../../../src/dataplane/loop/loop.ts";
import { type Settings, settingsOf } from "../../../../src/dataplane/settings.ts";
import type { Books, Counter } from "../../../../src/dataplane/shared/books.ts";
import type { SharedState } from "../../../../src/dataplane/shared/state.ts";
import { makeSolo } from "../../../../src/dataplane/solo.ts";
import { TcpSessions } from "../../../../src/dataplane/tcp/sessions.ts";
import { UpstreamTable } from "../../../../src/dataplane/upstream/table.ts";
import type { Call, Upstream } from "../../../../src/dataplane/upstream/upstream.ts";
import { createLogger } from "../../../../src/log.ts";
import { check } from "../../../../src/net/error.ts";
import { Reader } from "../../ffi/support/tcp.ts";

/** Settings that a test may want otherwise. */
export interface BenchOptions {
  readonly source?: Source;
  readonly maxConnections?: number;
  readonly perClient?: number;
  readonly maxPipes?: number;
  readonly connectMs?: number;
  readonly idleMs?: number;
  readonly halfClosedMs?: number;
  readonly sniffMs?: number;
  readonly logLevel?: LogLevel;
}

/** Settings for a test: timeouts that no test reaches by chance. */
export function testSettings(options: BenchOptions = {}): Settings {
  const { timeouts, limits } = DEFAULT_CONFIG;
  return settingsOf({
    ...DEFAULT_CONFIG,
    source: options.source ?? "router",
    log: { ...DEFAULT_CONFIG.log, level: options.logLevel ?? "error" },
    limits: { ...limits, perClient: options.perClient ?? 0 },
    timeouts: {
      ...timeouts,
      connectMs: options.connectMs ?? 10_000,
      sniffMs: options.sniffMs ?? 10_000,
      tcpIdleMs: options.idleMs ?? 60_000,
      halfClosedMs: options.halfClosedMs ?? 60_000,
    },
  }, { connections: options.maxConnections ?? 100, udpSessions: 100 });
}

/** An upstream that "dials" with a socket which it was given before, and writes down how that ended. */
class GivenUpstream implements Upstream {
  readonly name = "given";
  isDirect = () => true;
  readonly wantsName = false;
  readonly endings: number[] = [];
  fd = -1;
  patience = () => 0;

  dial(call: Call): number {
    return call.attempt === 0 ? this.fd : -ECONNREFUSED;
  }
  greeting(): null {
    return null;
  }
  settled(_call: Call, errno: number): void {
    this.endings.push(errno);
  }
  ended(): void {}
}

/** The sessions of a worker in a loop that the test drives. */
export class SessionBench implements Disposable {
  readonly shared: SharedState;
  readonly books: Books;
  /** Lines that were logged. */
  readonly lines: string[] = [];
  readonly context: WorkerContext;
  readonly loop: Loop;
  readonly sessions: TcpSessions;
  readonly #given = new GivenUpstream();

  /** `makeUpstream`: the upstream of all sessions, if not the socket that {@linkcode open} is given. */
  constructor(
    options: BenchOptions = {},
    makeUpstream: ((context: WorkerContext) => Upstream) | null = null,
  ) {
    const log = createLogger({
      level: options.logLevel ?? "error",
      format: "text",
      write: (line) => this.lines.push(line),
    });
    const { context, books } = makeSolo({ log, settings: testSettings(options) });
    this.context = context;
    this.books = books;
    this.shared = context.shared;
    this.loop = this.context.loop;
    this.#given.patience = () => context.settings.connectTicks;
    this.sessions = new TcpSessions(this.context, {
      pipes: { limit: options.maxPipes ?? 10, size: 65536 },
      upstreams: new UpstreamTable(this.context, makeUpstream?.(this.context) ?? this.#given),
    });
    this.loop.add(this.sessions);
    check(this.loop.start(), "epoll_create1");
  }

  /** Errnos with which the dials of {@linkcode open} have ended. */
  get endings(): readonly number[] {
    return this.#given.endings;
  }

  /**
   * Hands a client over, as the acceptor does, and with it a socket that is on its way to the upstream. 0 or
   * -errno.
   */
  open(client: number, upstream = -1, address = makeSockaddr()): number {
    this.shared.addLive(1);
    this.#given.fd = upstream;
    return this.sessions.dial(this.sessions.begin(client, address));
  }

  /** A turn of the loop that does not wait; the number of events. */
  turn(): number {
    return check(this.loop.turn(0), "epoll_wait");
  }

  /** Turns until nothing more happens by itself (timers aside). */
  settle(): void {
    for (let quiet = 0; quiet < 3;) {
      quiet = this.turn() === 0 && this.loop.timeout() !== 0 ? quiet + 1 : 0;
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

  /** Reads until the other side's end or reset, turning meanwhile. */
  async readToEnd(fd: number): Promise<Reader> {
    const reader = new Reader(fd);
    await this.until(() => reader.read() !== "open");
    return reader;
  }

  /** The counters that are not 0, those of bytes aside. */
  counts(): Partial<Record<Counter, number>> {
    const totals = Object.entries(this.books.counters());
    return Object.fromEntries(totals.filter(([name, value]) => value !== 0 && !name.startsWith("bytes")));
  }

  /** Bytes relayed. */
  relayed(): { up: number; down: number } {
    const { bytesUp, bytesDown } = this.books.counters();
    return { up: bytesUp, down: bytesDown };
  }

  [Symbol.dispose](): void {
    this.loop.close();
    assert.equal(this.shared.live, 0, "the number of live connections drifts");
  }
}
