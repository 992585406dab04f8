/**
 * The file in /run by which `tproxy status` knows of a running proxy; it is named by the process id.
 * @module
 */
import type { RuleHits } from "../dataplane/shared/books.ts";
import type { Hits } from "../dataplane/flows/tally.ts";
import {
  listRunFiles,
  makeRunDirectory,
  orNothing,
  removeRunFile,
  runFile,
  writeRunFile,
} from "../dataplane/run_directory.ts";
import type { Proxy } from "./proxy.ts";
import { summarize } from "./report.ts";
import type { GroupStatus, UpstreamStatus } from "./upstreams/status.ts";

/** Milliseconds between two updates. */
const UPDATE_MS = 5000;

/** The content, as JSON. */
export interface ProxyState {
  readonly version: 1;
  readonly pid: number;
  readonly program: string;
  /** Its power: user, capabilities, filters. */
  readonly privileges: string;
  /** Origin of the config in force. */
  readonly config: string;
  /** Milliseconds since 1970. */
  readonly started: number;
  readonly updated: number;
  readonly phase: "running" | "draining";
  /** Live ones. */
  readonly connections: number;
  readonly udpSessions: number;
  /** All since the start, as its last log line has them. */
  readonly counters: Readonly<Record<string, number>>;
  /** Flows that the proxy has seen, by rule and by upstream: those of the config in force, in its order. */
  readonly ruleHits: readonly RuleHits[];
  readonly upstreamHits: readonly Hits[];
  readonly upstreams: readonly UpstreamStatus[];
  readonly groups: readonly GroupStatus[];
}

/** Facts that do not change. */
export type ProgramFacts = Pick<ProxyState, "program" | "privileges">;

/** The file of a proxy. */
export function stateFileOf(pid: number): string {
  return runFile(nameOf(pid));
}

/** Writes the file now and every few seconds, until it is ended; then the file goes. */
export function keepStateFile(proxy: Proxy, program: ProgramFacts): { end(): void } {
  const name = nameOf(Deno.pid);
  const started = Date.now();
  sweep();
  makeRunDirectory();
  const write = () => void writeRunFile(name, describe(proxy, { ...program, started }));
  write();
  const timer = setInterval(write, UPDATE_MS);
  return {
    end() {
      clearInterval(timer);
      removeRunFile(name);
    },
  };
}

function nameOf(pid: number): string {
  return `${pid}.json`;
}

/** Describes a proxy as it is now. */
export function describe(
  { dataplane, generation, upstreams, phase }: Proxy,
  { program, privileges, started }: ProgramFacts & { readonly started: number },
): ProxyState {
  return {
    version: 1,
    pid: Deno.pid,
    program,
    privileges,
    config: generation.loaded.origin,
    started,
    updated: Date.now(),
    phase,
    connections: dataplane.live(),
    udpSessions: dataplane.udpLive(),
    counters: summarize(dataplane),
    ...dataplane.hits(),
    upstreams: upstreams.status(),
    groups: upstreams.groups(),
  };
}

/** Removes the files of proxies that were killed. */
function sweep(): void {
  for (const name of listRunFiles()) {
    const pid = /^(\d+)\.json/.exec(name)?.[1];
    if (pid !== undefined && orNothing(() => Deno.statSync(`/proc/${pid}`)) === undefined) {
      removeRunFile(name);
    }
  }
}
