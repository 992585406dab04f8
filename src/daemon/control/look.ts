/**
 * A running proxy in one line, for the page that looks at it every second.
 * @module
 */
import { sinceEpoch } from "../../../ffi/clock.ts";
import { oneLine } from "../../net/one_line.ts";
import type { Subject } from "./route.ts";
import type { ProxyState } from "./status.ts";

/** The line: some of the report, and the machine. */
export interface LookState extends
  Pick<
    ProxyState,
    | "version"
    | "program"
    | "phase"
    | "started"
    | "config"
    | "generation"
    | "refused"
    | "rules"
    | "workers"
    | "hanging"
    | "connections"
    | "maxConnections"
    | "udpSessions"
    | "maxUdpSessions"
    | "rates"
  > {
  /** Name of the machine. */
  readonly host: string;
  /** Milliseconds since 1970 by the proxy's clock: the browser's is another machine's. */
  readonly now: number;
  /** Upstreams that are not up. */
  readonly down: readonly string[];
}

/** Describes a proxy as it is now. */
export function describeLook({ proxy, program, started, rates }: Subject): LookState {
  const { dataplane, generation, upstreams } = proxy;
  const { phase, connections, udpSessions, rules, hanging, refused } = proxy.facts();
  return {
    version: 1,
    host: Deno.hostname(),
    now: Date.now(),
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
    down: upstreams.status().filter(({ state }) => state !== "up").map(({ name }) => name),
  };
}
