/**
 * Limits of a worker's UDP sessions: counts those that are admitted, and makes room for them.
 * @module
 */
import type { WorkerContext } from "../context.ts";
import { Throttle } from "../loop/throttle.ts";
import { TICK_MS } from "../loop/wheel.ts";
import { PerClient } from "../shared/per_client.ts";
import { COUNTER } from "../shared/state.ts";
import type { UdpTable } from "./table.ts";

/** A session that was used within so many ticks is young. */
const YOUNG_TICKS = 1000 / TICK_MS;
/**
 * Young sessions that may be ended in one tick to make room. A flood of new endpoints would else keep a
 * worker busy with opening and closing sockets; beyond this it is refused until its own sessions are older.
 * Clients with less than an equal share have as many for themselves: a flood from a few addresses does not
 * use up what a new client needs.
 */
const YOUNG_VICTIMS_PER_TICK = 200;

/** The admission of a worker. */
export class UdpAdmission {
  readonly #context: WorkerContext;
  readonly #table: UdpTable;
  readonly #close: (slot: number) => void;
  readonly #perClient: PerClient;
  #victimTick = 0;
  /** For clients with an equal share or more, and for those with less. */
  readonly #youngVictims = [0, 0];
  readonly #refusals: Throttle;
  readonly #evictions: Throttle;
  readonly #ownVictim = (words: Int32Array, at: number): number => this.#table.oldestOf(words, at);
  readonly #anyVictim = (): number => this.#table.victim();

  /** `close` ends a session, and tells {@linkcode leave}. */
  constructor(context: WorkerContext, table: UdpTable, close: (slot: number) => void) {
    this.#context = context;
    this.#table = table;
    this.#close = close;
    this.#perClient = new PerClient(context.shared.udpClients);
    this.#refusals = new Throttle(context.clock);
    this.#evictions = new Throttle(context.clock);
  }

  /** Counts a new session of the endpoint at `at`, and makes room for it; false: there is none. */
  admit(words: Int32Array, at: number): boolean {
    const { shared, settings } = this.#context;
    const excess = this.#perClient.add(words, at, settings.perClient);
    if (excess > 0 && !this.#replace(excess, this.#ownVictim, words, at)) {
      this.#perClient.remove(words, at);
      this.refuse("limits.per-client");
      return false;
    }
    const surplus = shared.addUdpLive(1) - settings.udp.maxSessions;
    if (surplus > 0 && !this.#replace(surplus, this.#anyVictim, words, at)) {
      this.leave(words, at);
      this.refuse("limits.udp-sessions");
      return false;
    }
    return true;
  }

  /** Counts a session that another worker has admitted. */
  enter(words: Int32Array, at: number): void {
    const { shared, settings } = this.#context;
    this.#perClient.add(words, at, settings.perClient);
    shared.addUdpLive(1);
  }

  /** Ends a session so that the endpoint at `at` has its descriptor; false: there is none. */
  makeRoom(words: Int32Array, at: number): boolean {
    return this.#replace(1, this.#anyVictim, words, at);
  }

  /** Counts a session no more that was admitted. */
  leave(words: Int32Array, at: number): void {
    this.#context.shared.addUdpLive(-1);
    this.#perClient.remove(words, at);
  }

  /** Counts a refusal; `limit`: what the log names, null for nothing. */
  refuse(limit: string | null): void {
    this.#context.counters[COUNTER.udpRefused]++;
    if (limit !== null) this.#warn(this.#refusals, "new UDP sessions are refused", limit);
  }

  /**
   * Ends a session for the endpoint at `at`, and a second one where there are still too many: the limit has
   * become lower. False if there is none, or if that would be one too many in this tick.
   */
  #replace(
    excess: number,
    findVictim: (words: Int32Array, at: number) => number,
    words: Int32Array,
    at: number,
  ): boolean {
    const first = findVictim(words, at);
    if (first < 0 || !this.#evict(first, words, at)) return false;
    const second = excess > 1 ? findVictim(words, at) : -1;
    if (second >= 0) this.#evict(second, words, at);
    return true;
  }

  /**
   * Ends a session to make room for one of the endpoint at `at`; false if that would be one too many in this
   * tick.
   */
  #evict(slot: number, words: Int32Array, at: number): boolean {
    const { tick } = this.#context.clock;
    if (tick - this.#table.ticks[slot] < YOUNG_TICKS) {
      if (this.#victimTick !== tick) {
        this.#victimTick = tick;
        this.#youngVictims.fill(0);
      }
      const kind = this.#table.isModest(words, at) ? 1 : 0;
      if (++this.#youngVictims[kind] > YOUNG_VICTIMS_PER_TICK) return false;
      const limits = "limits.udp-sessions or limits.per-client";
      this.#warn(this.#evictions, "UDP sessions end early to make room", limits);
    }
    this.#close(slot);
    return true;
  }

  #warn(throttle: Throttle, message: string, limit: string): void {
    if (!throttle.allows()) return;
    const { log, shared, settings } = this.#context;
    log.warn(message, { limit, live: shared.udpLive, "at-most": settings.udp.maxSessions });
  }
}
