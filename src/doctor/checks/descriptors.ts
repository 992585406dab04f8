/**
 * The limit of open descriptors: of the proxy if it runs, else of this session.
 * @module
 */
import { descriptorLimit } from "../../../ffi/process.ts";
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import type { MachineFiles } from "../machine/files.ts";
import { holdersOf } from "../machine/ports.ts";
import { isTproxy, type Process } from "../machine/processes.ts";
import type { Room } from "../machine/program.ts";
import type { Situation } from "../situation.ts";

/** Fewer live connections than these are soon used up: a page in a browser takes dozens. */
const FEW_CONNECTIONS = 1000;

/** The number of descriptors that the proxy may have, and whose limit that is. */
export interface DescriptorFacts {
  /** The hard limit: the proxy raises its own to it. undefined where it cannot be read. */
  readonly hard: number | undefined;
  readonly of: "this session" | "the proxy that runs";
}

/** The check. */
export const descriptors: Check<DescriptorFacts & { readonly room: (descriptors: number) => Room }> = {
  id: "descriptors",
  read: ({ files, ports, room }) => ({ ...readDescriptors(files, holdersOf(ports())), room }),
  judge: ({ room, ...facts }, situation) => judgeDescriptors(facts, situation, room),
};

/** Reads the limit of the proxy, which is one of `listeners`, or of this process. */
export function readDescriptors(files: MachineFiles, listeners: readonly Process[]): DescriptorFacts {
  const proxy = listeners.find(isTproxy);
  if (proxy !== undefined) {
    const line = /^Max open files\s+\S+\s+(\S+)/m.exec(files.readText(`/proc/${proxy.pid}/limits`) ?? "");
    if (line !== null) return { hard: toNumber(line[1]), of: "the proxy that runs" };
  }
  const limit = descriptorLimit();
  return { hard: typeof limit === "number" ? undefined : limit.hard, of: "this session" };
}

function toNumber(text: string): number {
  return text === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(text);
}

/** Judges the limit. `room` tells the load that a process with so many descriptors can serve. */
export function judgeDescriptors(
  { hard, of }: DescriptorFacts,
  { config }: Situation,
  room: (descriptors: number) => Room,
): Finding[] {
  if (hard === undefined) return [];
  const id = "descriptors";
  const { connections, udpSessions } = room(hard);
  const relaysTcp = config.intercept.protocols.includes("tcp");
  const possible = relaysTcp ? connections : udpSessions;
  const wanted = !relaysTcp || config.limits.connections === "auto" ? 0 : config.limits.connections;
  const served = relaysTcp ? "connections" : "UDP sessions";
  const what = `descriptor limit of ${of}: ${hard}, enough for ${possible} ${served}`;
  if (possible >= Math.max(wanted, Math.min(FEW_CONNECTIONS, wanted || FEW_CONNECTIONS))) {
    return [works(id, what)];
  }
  return [warning(id, {
    what,
    cause: wanted > possible
      ? `limits.connections asks for ${wanted}`
      : "The hard limit (RLIMIT_NOFILE) is low: it comes from the service that starts the proxy, or from " +
        "/etc/security/limits.conf for a session",
    remedy:
      'Raise the hard limit: "LimitNOFILE=65536" in a systemd unit, "procd_set_param limits nofile=65536" on ' +
      'OpenWrt, "ulimit -Hn 65536" as root in a shell',
  })];
}
