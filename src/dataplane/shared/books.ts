/**
 * The books of a data plane, as the main thread reads them: live sessions, totals, counters. Workers are not
 * woken.
 * @module
 */
import { sinceEpoch } from "../../../ffi/clock.ts";
import type { Action } from "../../config/types.ts";
import { DEFAULT_RULE } from "../../policy/policy.ts";
import { type DecisionNames, EndedFlows } from "../flows/ended_flows.ts";
import type { FlowRecord } from "../flows/flow_ring.ts";
import { SessionChanges } from "../flows/session_changes.ts";
import { type Hits, Tally } from "../flows/tally.ts";
import { UpstreamHealth } from "../upstream/health.ts";
import { Columns } from "./columns.ts";
import { type Ending, ENDINGS } from "./endings.ts";
import { type DialHistogram, sumDialTimes } from "../flows/dial_times.ts";
import { countLive, type LiveKind } from "../flows/live_kinds.ts";
import { type LedgerRow, readLedger } from "./read_ledger.ts";
import type { SharedMemory } from "./memory.ts";
import { COUNTER, type Counter as StateCounter, SharedState } from "./state.ts";
import { PROTOCOLS, type SessionKey, type SessionProtocol } from "./session_key.ts";
import { FAMILIES, Totals, type TotalsCell, type UpstreamCell, WorkerTotals } from "./totals.ts";

/** A live session. */
export interface SessionRow extends SessionKey, Omit<LedgerRow, "started"> {
  /** Milliseconds since 1970, by the clock of now. */
  readonly started: number;
  /** Name of the rule that has decided; null: none was asked. */
  readonly ruleName: string | null;
  /** Name of the configured upstream that it goes through; null: it goes through none. */
  readonly upstreamName: string | null;
}

/** Sessions of one kind that have ended. */
export interface RuleTotals {
  /** Name of the rule that had decided; null: none was asked. */
  readonly rule: string | null;
  readonly protocol: SessionProtocol;
  readonly family: typeof FAMILIES[number];
  readonly endings: Readonly<Record<Ending, number>>;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** The counters that totals and ledgers tell. Bytes are those of payload, also of live sessions. */
export type SessionCounter =
  | "closed"
  | "reset"
  | "refused"
  | "timedOut"
  | "failed"
  | "expired"
  | "overLimit"
  | "looped"
  | "blocked"
  | "lost"
  | "udpClosed"
  | "udpExpired"
  | "evicted"
  | "udpEvicted"
  | "bytesUp"
  | "bytesDown"
  | "udpBytesUp"
  | "udpBytesDown";

/** A counter of the data plane. */
export type Counter = StateCounter | SessionCounter;

/** The rules of a generation by name. */
export interface RuleNames {
  readonly generation: number;
  readonly rules: readonly string[];
  /** Of what no rule matches. */
  readonly otherwise: string;
  /** The ways of flows: of what no rule matches first, then by number of the rule. None: all go direct. */
  readonly ways?: readonly RuleWay[];
  /** Configured upstreams, in their order. */
  readonly upstreams?: readonly string[];
}

/** The way of flows that a rule decides. */
export interface RuleWay {
  readonly action: Action;
  /** Name of the group of upstreams; null: there is none. */
  readonly group: string | null;
}

/** Flows that a rule has decided. */
export interface RuleHits extends Hits {
  readonly action: Action;
}

/** All that is counted: what workers count, sessions that have ended, and live ones. */
export interface Account {
  readonly counters: Readonly<Record<StateCounter, number>>;
  readonly ended: readonly RuleTotals[];
  readonly live: readonly LiveKind[];
  /** Time until upstreams of TCP connections have answered. */
  readonly dials: readonly DialHistogram[];
  readonly workers: readonly WorkerAccount[];
}

/** The turns of a worker's loop, in milliseconds. */
export interface WorkerAccount {
  /** All of them. */
  readonly busyMs: number;
  /** The longest since the last account. */
  readonly longestMs: number;
}

/** More reloads than these do not come while a flow waits to be read. */
const GONE_GENERATIONS = 16;

/** The books. */
export class Books {
  readonly state: SharedState;
  /** Flows that have ended. */
  readonly ended: EndedFlows;
  readonly upstreams: UpstreamHealth;
  readonly #memory: SharedMemory;
  readonly #generations = new Map<number, { readonly totals: Totals; readonly names: RuleNames }>();
  /** Totals of ended sessions under generations of which no session lives. */
  readonly #past = new Map<string, RuleTotals>();
  readonly #pastUpstreams = new Map<string, UpstreamCell>();
  /** The last generations that went: flows that belonged to them may not have been read yet. */
  readonly #gone = new Map<number, RuleNames>();

  constructor(memory: SharedMemory) {
    this.#memory = memory;
    this.state = new SharedState(memory.state);
    this.ended = new EndedFlows(memory.ledgers.map(({ ended }) => ended), (flow) => this.#decisionOf(flow));
    this.upstreams = new UpstreamHealth(memory.upstreams);
  }

  /** Opens the totals of the generation that comes into force. Returns their memory, for the workers. */
  begin(names: RuleNames): SharedArrayBuffer {
    this.#retire();
    const { generation, rules, upstreams = [] } = names;
    const workers = this.#memory.ledgers.length;
    const totals = new Totals({ generation, rules: rules.length, upstreams: upstreams.length, workers });
    this.#generations.set(generation, { totals, names });
    return totals.memory;
  }

  /** Returns a hold on all totals for whoever acts in a worker's stead. */
  hold(worker: number): WorkerTotals {
    const memories = [...this.#generations.values()].map(({ totals }) => totals.memory);
    const hold = new WorkerTotals(worker, memories[0]);
    for (const memory of memories.slice(1)) hold.adopt(memory);
    return hold;
  }

  /** Lists the rules of all generations of which a session may live. */
  ruleNames(): RuleNames[] {
    return [...this.#generations.values()].map(({ names }) => names);
  }

  /** Reads all live sessions. */
  *sessions(): Generator<SessionRow> {
    for (const [worker, ledgers] of this.#memory.ledgers.entries()) {
      for (const protocol of PROTOCOLS) {
        for (const row of readLedger(ledgers[protocol], ledgers.names)) {
          yield this.#describeRow({ worker, protocol }, row);
        }
      }
    }
  }

  /** Looks from now on at the live sessions that come and go. */
  changes(): SessionChanges<SessionRow> {
    return new SessionChanges(this.#memory, (key, row) => this.#describeRow(key, row));
  }

  #describeRow({ worker, protocol }: Pick<SessionKey, "worker" | "protocol">, row: LedgerRow): SessionRow {
    const { generation, rule, carrier } = row;
    const started = sinceEpoch(row.started);
    const upstreamName = this.#namesOf(generation)?.upstreams?.[carrier - 1] ?? null;
    return { worker, protocol, ruleName: this.#nameOf(generation, rule), upstreamName, ...row, started };
  }

  /** Lists what has ended so far, by rule, protocol and family. */
  totals(): RuleTotals[] {
    const sums = new Map(this.#past);
    for (const generation of this.#generations.keys()) this.#addTo(sums, generation);
    return [...sums.values()];
  }

  /**
   * Counts the flows that the proxy has seen, by rule and by upstream: those in force, in the order of the
   * config, what no rule matches last.
   */
  hits(): { readonly ruleHits: readonly RuleHits[]; readonly upstreamHits: readonly Hits[] } {
    const rules = new Tally();
    for (const { rule, ...ended } of this.totals()) {
      if (rule !== null) rules.add(rule, { ...ended, endings: ENDINGS.map((name) => ended.endings[name]) });
    }
    const upstreams = new Tally();
    for (const [name, ended] of this.#pastUpstreams) upstreams.add(name, ended);
    for (const generation of this.#generations.keys()) {
      for (const [name, ended] of this.#upstreamsOf(generation)) upstreams.add(name, ended);
    }
    this.#addLive(rules, upstreams);
    const names = [...this.#generations.values()].at(-1)!.names;
    return {
      ruleHits: [...names.rules.keys(), DEFAULT_RULE].map((rule) => ({
        ...rules.of(rule === DEFAULT_RULE ? names.otherwise : names.rules[rule]),
        action: names.ways?.[rule - DEFAULT_RULE].action ?? "direct",
      })),
      upstreamHits: (names.upstreams ?? []).map((name) => upstreams.of(name)),
    };
  }

  #addLive(rules: Tally, upstreams: Tally): void {
    for (const ledgers of this.#memory.ledgers) {
      for (const protocol of PROTOCOLS) {
        const columns = new Columns(ledgers[protocol]);
        for (let slot = 0; slot < columns.used; slot++) {
          if (columns.tag[slot] === 0) continue;
          const generation = columns.generation[slot];
          const rule = this.#nameOf(generation, columns.rule[slot]);
          if (rule !== null) rules.addLive(rule, columns, slot);
          const upstream = this.#namesOf(generation)?.upstreams?.[columns.carrier[slot] - 1];
          if (upstream !== undefined) upstreams.addLive(upstream, columns, slot);
        }
      }
    }
  }

  *#upstreamsOf(generation: number): Generator<[name: string, ended: UpstreamCell]> {
    const { totals, names } = this.#generations.get(generation)!;
    for (const cell of totals.upstreamCells()) yield [names.upstreams![cell.carrier - 1], cell];
  }

  /** Returns all that is counted. A session that ends meanwhile may be neither live nor ended. */
  account(): Account {
    return {
      counters: this.state.sums(),
      ended: this.totals(),
      live: countLive(this.#memory.ledgers),
      dials: sumDialTimes(this.#memory.ledgers.map(({ dials }) => dials)),
      workers: this.#memory.ledgers.map((_, worker) => ({
        busyMs: this.state.row(worker)[COUNTER.busyMs],
        longestMs: this.state.takeLongestTurn(worker),
      })),
    };
  }

  /** Counts all that the program counts. */
  counters(): Record<Counter, number> {
    const state = this.state.sums();
    const sessions = this.#sessionCounters();
    return {
      ...state,
      ...sessions,
      failed: state.failed + sessions.failed,
      looped: state.looped + sessions.looped,
      overLimit: state.overLimit + sessions.overLimit,
    };
  }

  /** Counts what sessions have come to. */
  #sessionCounters(): Record<SessionCounter, number> {
    const rows = this.totals();
    const count = (ending: Ending, protocols: readonly SessionProtocol[]) =>
      rows.filter((row) => protocols.includes(row.protocol)).reduce(
        (sum, row) => sum + row.endings[ending],
        0,
      );
    const tcp = this.#bytes("tcp");
    const udp = this.#bytes("udp");
    return {
      closed: count("closed", ["tcp"]),
      reset: count("reset", ["tcp"]),
      refused: count("refused", ["tcp"]),
      timedOut: count("timed-out", ["tcp"]),
      expired: count("expired", ["tcp"]),
      failed: count("failed", PROTOCOLS),
      overLimit: count("over-limit", ["tcp"]),
      looped: count("looped", ["tcp"]),
      blocked: count("blocked", PROTOCOLS),
      lost: count("lost", PROTOCOLS),
      udpClosed: count("closed", ["udp"]),
      udpExpired: count("expired", ["udp"]),
      evicted: count("evicted", ["tcp"]),
      udpEvicted: count("evicted", ["udp"]),
      bytesUp: tcp.up,
      bytesDown: tcp.down,
      udpBytesUp: udp.up,
      udpBytesDown: udp.down,
    };
  }

  #bytes(protocol: SessionProtocol): { up: number; down: number } {
    const sums = { up: 0, down: 0 };
    for (const ledgers of this.#memory.ledgers) {
      const { up, down } = new Columns(ledgers[protocol]).sumBytes();
      sums.up += up;
      sums.down += down;
    }
    return sums;
  }

  /** Closes the totals of generations that no session belongs to any more. */
  #retire(): void {
    const newest = Math.max(...this.#generations.keys());
    const live = new Set([newest]);
    // Not by reading rows: one that is being written belongs to its generation all the same, and in those
    // that are not the newest no session begins any more.
    for (const ledgers of this.#memory.ledgers) {
      for (const protocol of PROTOCOLS) {
        for (const generation of new Columns(ledgers[protocol]).liveGenerations()) live.add(generation);
      }
    }
    for (const generation of this.#generations.keys()) {
      if (live.has(generation)) continue;
      this.#addTo(this.#past, generation);
      for (const [name, cell] of this.#upstreamsOf(generation)) {
        this.#pastUpstreams.set(name, addCells(cell, this.#pastUpstreams.get(name)));
      }
      this.#gone.set(generation, this.#generations.get(generation)!.names);
      this.#generations.delete(generation);
      for (const oldest of this.#gone.keys()) {
        if (this.#gone.size > GONE_GENERATIONS) this.#gone.delete(oldest);
      }
    }
  }

  #addTo(sums: Map<string, RuleTotals>, generation: number): void {
    const { totals } = this.#generations.get(generation)!;
    for (const cell of totals.cells()) {
      const added = this.#describe(generation, cell);
      const key = JSON.stringify([added.rule, added.protocol, added.family]);
      const before = sums.get(key);
      sums.set(key, before === undefined ? added : addTotals(before, added));
    }
  }

  #describe(generation: number, cell: TotalsCell): RuleTotals {
    return {
      rule: this.#nameOf(generation, cell.rule),
      protocol: PROTOCOLS[cell.protocol],
      family: FAMILIES[cell.family],
      endings: Object.fromEntries(ENDINGS.map((name, i) => [name, cell.endings[i]])) as Record<
        Ending,
        number
      >,
      bytesUp: cell.bytesUp,
      bytesDown: cell.bytesDown,
    };
  }

  /** Says what has become of a flow, in words. */
  #decisionOf(
    { generation, rule, carrier }: Pick<FlowRecord, "generation" | "rule" | "carrier">,
  ): DecisionNames {
    const names = this.#namesOf(generation);
    const way = names?.ways?.[rule - DEFAULT_RULE];
    const upstream = names?.upstreams?.[carrier - 1] ?? null;
    const group = way?.group ?? null;
    return {
      rule: this.#nameOf(generation, rule),
      ruleIndex: rule > DEFAULT_RULE ? rule : null,
      action: way?.action ?? "direct",
      upstream,
      group: group === upstream ? null : group,
    };
  }

  #namesOf(generation: number): RuleNames | undefined {
    return this.#generations.get(generation)?.names ?? this.#gone.get(generation);
  }

  #nameOf(generation: number, rule: number): string | null {
    const names = this.#namesOf(generation);
    if (names === undefined || rule < DEFAULT_RULE) return null;
    return rule === DEFAULT_RULE ? names.otherwise : names.rules[rule];
  }
}

function addCells(one: UpstreamCell, other: UpstreamCell | undefined): UpstreamCell {
  if (other === undefined) return one;
  return {
    ...one,
    endings: one.endings.map((count, ending) => count + other.endings[ending]),
    bytesUp: one.bytesUp + other.bytesUp,
    bytesDown: one.bytesDown + other.bytesDown,
  };
}

function addTotals(one: RuleTotals, other: RuleTotals): RuleTotals {
  const endings = ENDINGS.map((name) => [name, one.endings[name] + other.endings[name]]);
  return {
    ...one,
    endings: Object.fromEntries(endings) as Record<Ending, number>,
    bytesUp: one.bytesUp + other.bytesUp,
    bytesDown: one.bytesDown + other.bytesDown,
  };
}
