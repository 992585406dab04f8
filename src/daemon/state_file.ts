/**
 * The file in /run by which `tproxy status` knows of a running proxy; it is named by the process id. A
 * machine without /run goes without.
 * @module
 */
import { RUN_DIRECTORY } from "../constants.ts";
import type { Proxy } from "./proxy.ts";
import { summarize } from "./report.ts";

/** Milliseconds between two updates. */
const UPDATE_MS = 5000;

/** The content, as JSON. */
export interface ProxyState {
  readonly version: 1;
  readonly pid: number;
  readonly program: string;
  /** Origin of the config in force. */
  readonly config: string;
  /** Milliseconds since 1970. */
  readonly started: number;
  readonly updated: number;
  /** Live ones. */
  readonly connections: number;
  readonly udpSessions: number;
  /** All since the start, as its last log line has them. */
  readonly counters: Readonly<Record<string, number>>;
}

/** The file of a proxy. */
export function stateFileOf(pid: number): string {
  return `${RUN_DIRECTORY}/${pid}.json`;
}

/** Writes the file now and every few seconds, until it is ended; then the file goes. */
export function keepStateFile(proxy: Proxy, program: string): { end(): void } {
  const path = stateFileOf(Deno.pid);
  const started = Date.now();
  orNothing(() => sweep());
  orNothing(() => Deno.mkdirSync(RUN_DIRECTORY, { mode: 0o755 }));
  const write = () => orNothing(() => writeState(path, proxy, { program, started }));
  write();
  const timer = setInterval(write, UPDATE_MS);
  return {
    end() {
      clearInterval(timer);
      orNothing(() => Deno.removeSync(path));
    },
  };
}

function writeState(path: string, proxy: Proxy, { program, started }: { program: string; started: number }) {
  const { dataplane, generation } = proxy;
  const state: ProxyState = {
    version: 1,
    pid: Deno.pid,
    program,
    config: generation.loaded.origin,
    started,
    updated: Date.now(),
    connections: dataplane.live(),
    udpSessions: dataplane.udpLive(),
    counters: summarize(dataplane),
  };
  Deno.writeTextFileSync(`${path}.new`, JSON.stringify(state), { mode: 0o644 });
  Deno.renameSync(`${path}.new`, path);
}

/** Removes the files of proxies that were killed. */
function sweep(): void {
  for (const { name } of Deno.readDirSync(RUN_DIRECTORY)) {
    const pid = /^(\d+)\.json/.exec(name)?.[1];
    if (pid !== undefined && !exists(`/proc/${pid}`)) Deno.removeSync(`${RUN_DIRECTORY}/${name}`);
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function orNothing(work: () => void): void {
  try {
    work();
  } catch {
    // status then tells less
  }
}
