/**
 * The proxy that runs, as status shows it: who holds the listener's port, and what that tells of itself.
 * @module
 */
import type { Config, Protocol } from "../../config/types.ts";
import type { ProxyState } from "../../daemon/control/status.ts";
import { systemFiles } from "../../doctor/machine/files.ts";
import { describeProcess, findHolders, isTproxy, listProcesses } from "../../doctor/machine/processes.ts";
import type { ListenerStatus } from "../../kernel/listeners/listeners.ts";
import { findSockets } from "../../kernel/listeners/socket_table.ts";
import { OperationError } from "../../net/error.ts";
import type { Family } from "../../net/ip.ts";
import { ask } from "../control/proxy.ts";
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
  /** Its own report; absent where it gives none. */
  readonly state?: ProxyState;
}

/** The parts of a config by which a proxy is found. */
export interface ProxyPlaces {
  readonly protocols: readonly Protocol[];
  readonly families: readonly Family[];
  readonly port: number;
  /** Path of the control socket, or `off`. */
  readonly control: string;
}

/** Returns the places of a config's proxy. */
export function placesOf({ intercept: { protocols, families }, listener, control }: Config): ProxyPlaces {
  return { protocols, families, port: listener.port, control };
}

/** Finds who holds the port; undefined where nobody does, or where that cannot be seen. */
export async function findHolder(
  env: Env,
  { protocols, families, port, control }: ProxyPlaces,
): Promise<PortHolder | undefined> {
  const files = systemFiles(env.readTextFile);
  const inodes = protocols.flatMap((protocol) =>
    families.flatMap((family) => findSockets({ protocol, family, port, anyAddress: true }, env.readTextFile))
  );
  if (inodes.length === 0) return undefined;
  const holders = findHolders(files, listProcesses(files), inodes);
  const found = holders.find(isTproxy) ?? holders.at(0);
  if (found === undefined) return undefined;
  const { pid, name, words } = found;
  const state = isTproxy(found) ? await readState(control, pid) : undefined;
  return {
    pid,
    name,
    command: words.join(" "),
    ours: isTproxy(found),
    ...(state === undefined ? {} : { state }),
  };
}

/** Asks for its report, `pid`: of this process; undefined: it gives none to who asks there. */
export async function readState(control: string, pid?: number): Promise<ProxyState | undefined> {
  try {
    const text = await ask(control, { method: "GET", target: "/v1/status" });
    return text === undefined ? undefined : parseState(text, pid);
  } catch (error) {
    if (error instanceof OperationError) return undefined;
    throw error;
  }
}

/** Tells whether a proxy runs and answers: where it may be asked, it does. */
export function answers({ ours, state }: PortHolder, control: string): boolean {
  return ours && (state !== undefined || control === "off");
}

/** Describes it in lines; `config` is what status goes by. */
export function describeProxy(
  holder: PortHolder | undefined,
  listeners: readonly ListenerStatus[],
  { now, config, control, verbose }: {
    readonly now: number;
    readonly config: string;
    readonly control: string;
    readonly verbose: boolean;
  },
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
  const where = `(${list(true)}${missing})`;
  if (state === undefined) {
    const mute = control === "off" ? "" : `, which does not answer at ${control}`;
    return [`running, pid ${pid}${mute} ${where}`];
  }
  return describeAnswer(state, { now, control, verbose, where: `pid ${pid}`, config, after: ` ${where}` });
}

/** Describes in lines what a proxy has told; `config`: the one that it should have. */
export function describeAnswer(
  state: ProxyState,
  { now, config, control, verbose, where, after = "" }: {
    readonly now: number;
    readonly config?: string;
    readonly control: string;
    readonly verbose: boolean;
    readonly where: string;
    readonly after?: string;
  },
): string[] {
  return [
    `running, ${where}, for ${formatDuration(now - state.started)}${after}`,
    ...describeState(state, config ?? state.config),
    `privileges: ${state.privileges}`,
    ...(verbose ? [...describeSize(state), describeUnrelayed(state), describePage(control)] : []),
    ...describeUpstreams(state, now),
  ];
}

function describeState(state: ProxyState, config: string): string[] {
  const { connections, udpSessions, counters, rates, hanging, generation, refused } = state;
  const bytes = (up: number, down: number, per = "") =>
    `${formatBytes(up)}${per} up, ${formatBytes(down)}${per} down`;
  const passed = bytes(counters["bytes-up"] ?? 0, counters["bytes-down"] ?? 0);
  const number = generation === 1 ? "" : ` (generation ${generation})`;
  const other = state.config === config ? "" : `, not ${config}`;
  return [
    ...(hanging.length === 0 ? [] : [`HANGS: worker ${hanging.join(", ")}`]),
    `${connections} live connections (${
      counters.accepted ?? 0
    } accepted, ${passed}), ${udpSessions} UDP sessions`,
    `of late ${formatRate(rates.accepted)} connections/s, ${formatRate(rates.udpSessions)} UDP sessions/s, ${
      bytes(rates.bytesUp, rates.bytesDown, "/s")
    }`,
    `its config is ${state.config}${number}${other}`,
    ...(refused === null ? [] : [`NOT RELOADED: ${refused}`]),
  ];
}

function describeSize(state: ProxyState): string[] {
  const { program, workers, maxConnections, maxUdpSessions, rules } = state;
  const most = [
    ...(maxConnections > 0 ? [`${maxConnections} connections`] : []),
    ...(maxUdpSessions > 0 ? [`${maxUdpSessions} UDP sessions`] : []),
  ];
  return [
    `tproxy ${program}, ${workers} ${workers === 1 ? "worker" : "workers"}, room for ${most.join(" and ")}`,
    rules,
  ];
}

/** Names the connections that go past the proxy, by their TCP option. */
function describeUnrelayed({ unrelayed }: ProxyState): string {
  const counts = Object.entries(unrelayed).map(([option, count]) => `${count} ${option}`);
  return `past it, for TCP options that no proxy carries: ${
    counts.length === 0 ? "not told" : counts.join(", ")
  }`;
}

/** Says how a browser comes to the page, which nobody reaches from the network. */
function describePage(control: string): string {
  return `page: ssh -N -L 8080:${control} root@ROUTER, then http://localhost:8080/`;
}

/** `0`, `0.3`, `17`. */
function formatRate(perSecond: number): string {
  return perSecond === 0 || perSecond >= 10 ? perSecond.toFixed(0) : perSecond.toFixed(1);
}
