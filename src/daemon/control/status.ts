/**
 * A running proxy's report of itself.
 * @module
 */
import { sinceEpoch } from "../../../ffi/clock.ts";
import type { RuleHits } from "../../dataplane/shared/books.ts";
import type { Hits } from "../../dataplane/flows/tally.ts";
import type { Family } from "../../net/ip.ts";
import { oneLine } from "../../net/one_line.ts";
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
  readonly rates: Rates;
  /** Flows that the proxy has seen, by rule and by upstream: those of the config in force, in its order. */
  readonly ruleHits: readonly RuleHits[];
  readonly upstreamHits: readonly Hits[];
  readonly upstreams: readonly UpstreamStatus[];
  readonly groups: readonly GroupStatus[];
}

/** Describes a proxy as it is now. */
export function describeState({ proxy, program, privileges, started, rates }: Subject): ProxyState {
  const { dataplane, generation, upstreams } = proxy;
  const { phase, connections, udpSessions, families, rules, hanging, refused } = proxy.facts();
  return {
    version: 1,
    pid: Deno.pid,
    program,
    privileges,
    phase,
    started: sinceEpoch(started),
    config: generation.loaded.origin,
    generation: generation.number,
    refused: refused === undefined ? null : oneLine(refused.refusal),
    families,
    rules,
    workers: dataplane.workers,
    hanging,
    connections,
    maxConnections: dataplane.maxConnections,
    udpSessions,
    maxUdpSessions: dataplane.maxUdpSessions,
    counters: summarize(dataplane),
    rates: rates.rates(),
    ...dataplane.hits(),
    upstreams: upstreams.status(),
    groups: upstreams.groups(),
  };
}
