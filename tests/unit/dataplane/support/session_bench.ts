/**
 * The loop and the sessions of a worker, without its thread: the test makes the turns, one by one.
 * @module
 */
import assert from "node:assert/strict";
import { DEFAULT_CONFIG } from "../../../../src/config/defaults.ts";
import type { LogLevel } from "../../../../src/log.ts";
import type { Source } from "../../../../src/config/types.ts";
import { makeContext, type WorkerContext } from "../../../../src/dataplane/context.ts";
import type { Loop } from "../../../../src/dataplane/loop/loop.ts";
import { type Settings, settingsOf } from "../../../../src/dataplane/settings.ts";
import { type Counter, SharedState } from "../../../../src/dataplane/shared/state.ts";
import { TcpSessions } from "../../../../src/dataplane/tcp/sessions.ts";
import type { Dials } from "../../../../src/dataplane/upstream/direct.ts";
import { createLogger } from "../../../../src/log.ts";
import { check } from "../../../../src/net/error.ts";

/** What a test may want otherwise. */
export interface BenchOptions {
  readonly source?: Source;
  readonly maxConnections?: number;
  readonly perClient?: number;
  readonly maxPipes?: number;
  readonly connectMs?: number;
  readonly idleMs?: number;
  readonly halfClosedMs?: number;
  readonly logLevel?: LogLevel;
}

/** Settings for a test: timeouts that no test reaches by chance. */
export function testSettings(options: BenchOptions = {}): Settings {
  const { udp, timeouts, limits } = DEFAULT_CONFIG;
  return settingsOf({
    source: options.source ?? "router",
    udp,
    limits: { ...limits, perClient: options.perClient ?? 0 },
    timeouts: {
      ...timeouts,
      connectMs: options.connectMs ?? 10_000,
      tcpIdleMs: options.idleMs ?? 60_000,
      halfClosedMs: options.halfClosedMs ?? 60_000,
    },
  }, { connections: options.maxConnections ?? 100, udpSessions: 100 });
}

/** The sessions of a worker in a loop that the test drives. */
export class SessionBench implements Disposable {
  readonly shared = new SharedState(1);
  /** Lines that were logged. */
  readonly lines: string[] = [];
  readonly context: WorkerContext;
  readonly loop: Loop;
  readonly sessions: TcpSessions;

  /** `dialler` makes the dialler from the context. */
  constructor(options: BenchOptions = {}, dialler: ((context: WorkerContext) => Dials) | null = null) {
    const log = createLogger({
      level: options.logLevel ?? "error",
      format: "text",
      write: (line) => this.lines.push(line),
    });
    this.context = makeContext({ index: 0, shared: this.shared, log, settings: testSettings(options) });
    this.loop = this.context.loop;
    this.sessions = new TcpSessions(this.context, {
      pipes: { limit: options.maxPipes ?? 10, size: 65536 },
      ...(dialler === null ? {} : { dialler: dialler(this.context) }),
    });
    this.loop.add(this.sessions);
    check(this.loop.start(), "epoll_create1");
  }

  /** Hands a pair of sockets over, as the acceptor does. */
  open(client: number, upstream: number): void {
    this.shared.addLive(1);
    this.sessions.open(client, upstream, new Int32Array(8), null);
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
    this.loop.close();
    assert.equal(this.shared.live, 0, "the number of live connections drifts");
  }
}
