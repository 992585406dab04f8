/**
 * The proxy that runs, as status shows it: who holds the listener's port, and what that tells of itself.
 * @module
 */
import type { Protocol } from "../../config/types.ts";
import { type ProxyState, stateFileOf } from "../../daemon/state_file.ts";
import { systemFiles } from "../../doctor/machine/files.ts";
import { describeProcess, findHolders, isTproxy, listProcesses } from "../../doctor/machine/processes.ts";
import type { ListenerStatus } from "../../kernel/listeners/listeners.ts";
import { findSockets } from "../../kernel/listeners/socket_table.ts";
import type { Family } from "../../net/ip.ts";
import { formatBytes } from "./bytes.ts";
import type { Env } from "../env.ts";
import { formatDuration } from "./duration.ts";
import { parseState } from "./state.ts";
import { describeUpstreams } from "./upstreams.ts";

/** The holder of the listener's port. */
export interface PortHolder {
  readonly pid: number;
  readonly name: string;
  /** Its command line. */
  readonly command: string;
  /** Set where it is this program. */
  readonly ours: boolean;
  /** Its own report; absent where it makes none. */
  readonly state?: ProxyState;
}

/** Finds who holds the port; undefined where nobody does, or where that cannot be seen. */
export function findHolder(
  env: Env,
  { protocols, families, port }: {
    protocols: readonly Protocol[];
    families: readonly Family[];
    port: number;
  },
): PortHolder | undefined {
  const files = systemFiles(env.readTextFile);
  const inodes = protocols.flatMap((protocol) =>
    families.flatMap((family) => findSockets({ protocol, family, port, anyAddress: true }, env.readTextFile))
  );
  if (inodes.length === 0) return undefined;
  const holders = findHolders(files, listProcesses(files), inodes);
  const found = holders.find(isTproxy) ?? holders.at(0);
  if (found === undefined) return undefined;
  const state = readState(env, found.pid);
  const { pid, name, words } = found;
  return {
    pid,
    name,
    command: words.join(" "),
    ours: isTproxy(found),
    ...(state === undefined ? {} : { state }),
  };
}

function readState(env: Env, pid: number): ProxyState | undefined {
  try {
    return parseState(env.readTextFile(stateFileOf(pid)), pid);
  } catch {
    return undefined;
  }
}

/** Describes it in lines; `config` is what status goes by. */
export function describeProxy(
  holder: PortHolder | undefined,
  listeners: readonly ListenerStatus[],
  { now, config }: { now: number; config: string },
): string[] {
  const list = (wanted: boolean) =>
    listeners.filter(({ listening }) => listening === wanted)
      .map(({ protocol, address }) => `${protocol} ${address}`).join(", ");
  if (holder !== undefined && !holder.ours) {
    return [`not running: ${describeProcess({ ...holder, words: [] })} holds the port (${holder.command})`];
  }
  if (list(true) === "") return [`not running (nobody listens on ${list(false)})`];
  const missing = list(false) === "" ? "" : `; nobody listens on ${list(false)}`;
  if (holder === undefined) return [`running (${list(true)}${missing})`];
  const { pid, state } = holder;
  if (state === undefined) return [`running, pid ${pid} (${list(true)}${missing})`];
  const { connections, udpSessions, counters } = state;
  const bytes = `${formatBytes(counters["bytes-up"] ?? 0)} up, ${
    formatBytes(counters["bytes-down"] ?? 0)
  } down`;
  const other = state.config === config ? "" : `, not ${config}`;
  return [
    `running, pid ${pid}, for ${formatDuration(now - state.started)} (${list(true)}${missing})`,
    `${connections} live connections (${
      counters.accepted ?? 0
    } accepted, ${bytes}), ${udpSessions} UDP sessions`,
    `its config is ${state.config}${other}`,
    `privileges: ${state.privileges}`,
    ...describeUpstreams(state, now),
  ];
}
