/**
 * A running proxy's report of itself.
 * @module
 */
import { sinceEpoch } from "../../../ffi/clock.ts";
import type { RuleHits } from "../../dataplane/shared/books.ts";
import type { Hits } from "../../dataplane/flows/tally.ts";
import type { Family } from "../../net/ip.ts";
import type { Unrelayed } from "../../kernel/live/unrelayed.ts";
import { oneLine } from "../../net/one_line.ts";
import type { PredecessorFate } from "../handover/predecessor.ts";
import { summarize } from "../report.ts";
import type { GroupStatus, UpstreamStatus } from "../upstreams/status.ts";
import type { Rates } from "./rates.ts";
import type { ProgramFacts, Subject } from "./route.ts";

/** The report, as JSON. */
export interface ProxyState extends ProgramFacts {
  readonly version: 1;
  readonly pid: number;
  readonly phase: "running" | "draining";
  /** Milliseconds since 1970. */
  readonly started: number;
  /** Origin of the config in force, and its number: the first is 1. */
  readonly config: string;
  readonly generation: number;
  /** Reason why the last reload was refused; null: it was not. */
  readonly refused: string | null;
  readonly families: readonly Family[];
  /** State of the rules, in words. */
  readonly rules: string;
  readonly workers: number;
  /** Numbers of workers that hang. */
  readonly hanging: readonly number[];
  /** Live ones, and how many there may be. */
  readonly connections: number;
  readonly maxConnections: number;
  readonly udpSessions: number;
  readonly maxUdpSessions: number;
  /** All since the start, as its last log line has them. */
  readonly counters: Readonly<Record<string, number>>;
  /** Connections that the kernel forwards, past the proxy, for a TCP option that no proxy can carry. */
  readonly unrelayed: Readonly<Unrelayed>;
  readonly rates: Rates;
  /** Flows that the proxy has seen, by rule and by upstream: those of the config in force, in its order. */
  readonly ruleHits: readonly RuleHits[];
  readonly upstreamHits: readonly Hits[];
  readonly upstreams: readonly UpstreamStatus[];
  readonly groups: readonly GroupStatus[];
  /** The proxy before, from which it has taken over. */
  readonly before?: PredecessorFate;
}

/** The outline of the report. */
export type ProxyOutline = Omit<
  ProxyState,
  | "pid"
  | "privileges"
  | "families"
  | "counters"
  | "unrelayed"
  | "ruleHits"
  | "upstreamHits"
  | "upstreams"
  | "groups"
  | "before"
>;

/** Describes a proxy as it is now. */
export function describeState(subject: Subject): ProxyState {
  const { proxy, privileges, predecessor } = subject;
  const { dataplane, upstreams } = proxy;
  const facts = proxy.facts();
  return {
    ...describeOutline(subject, facts),
    pid: Deno.pid,
    privileges,
    families: facts.families,
    counters: summarize(dataplane),
    unrelayed: proxy.live.unrelayed(),
    ...dataplane.hits(),
    upstreams: upstreams.status(),
    groups: upstreams.groups(),
    ...predecessor === undefined ? {} : { before: predecessor.fate },
  };
}

/** Describes it in outline: that costs little. */
export function describeOutline(
  { proxy: { dataplane, generation }, program, started, rates }: Subject,
  { phase, connections, udpSessions, rules, hanging, refused }: ReturnType<Subject["proxy"]["facts"]>,
): ProxyOutline {
  return {
    version: 1,
    program,
    phase,
    started: sinceEpoch(started),
    config: generation.loaded.origin,
    generation: generation.number,
    refused: refused === undefined ? null : oneLine(refused.refusal),
    rules,
    workers: dataplane.workers,
    hanging,
    connections,
    maxConnections: dataplane.maxConnections,
    udpSessions,
    maxUdpSessions: dataplane.maxUdpSessions,
    rates: rates.rates(),
  };
}
