/**
 * The difference between two configs, key by key, and what of it a running proxy can take over. Pure.
 * @module
 */
import type { Config } from "../../config/types.ts";
import { compareKeys } from "../../net/ranges.ts";

/** The keys that differ, as they are written in a config. */
export interface Changes {
  /** Those that a reload takes over. */
  readonly adoptable: readonly string[];
  /** Those that only a restart takes over. */
  readonly restart: readonly string[];
  /** The rules in the kernel depend on one of the first. */
  readonly kernel: boolean;
}

interface Key {
  readonly key: string;
  readonly of: (config: Config) => unknown;
  /** The rules in the kernel depend on it. */
  readonly kernel?: true;
}

/**
 * The rest of the process is built on them at its start: sockets and their marks, threads, the shares of
 * sessions and pipes in the descriptors, the rules' names in the kernel, the form of the log.
 */
const FIXED: readonly Key[] = [
  { key: "intercept.protocols", of: ({ intercept }) => intercept.protocols },
  { key: "intercept.families", of: ({ intercept }) => intercept.families },
  { key: "intercept.router-traffic", of: ({ intercept }) => intercept.routerTraffic },
  { key: "intercept.admission", of: ({ intercept }) => intercept.admission },
  { key: "listener.port", of: ({ listener }) => listener.port },
  { key: "listener.workers", of: ({ listener }) => listener.workers },
  { key: "kernel.mark", of: ({ kernel }) => kernel.mark },
  { key: "kernel.table", of: ({ kernel }) => kernel.table },
  { key: "kernel.backend", of: ({ kernel }) => kernel.backend },
  { key: "limits.connections", of: ({ limits }) => limits.connections },
  { key: "limits.udp-sessions", of: ({ limits }) => limits.udpSessions },
  { key: "control", of: ({ control }) => control },
  { key: "metrics", of: ({ metrics }) => metrics },
  { key: "log.format", of: ({ log }) => log.format },
];

const ADOPTABLE: readonly Key[] = [
  { key: "intercept.interfaces", of: ({ intercept }) => intercept.interfaces, kernel: true },
  { key: "intercept.ports", of: ({ intercept }) => intercept.ports, kernel: true },
  { key: "intercept.on-failure", of: ({ intercept }) => intercept.onFailure, kernel: true },
  { key: "intercept.mptcp", of: ({ intercept }) => intercept.mptcp, kernel: true },
  { key: "source", of: ({ source }) => source, kernel: true },
  { key: "rules", of: ({ rules }) => rules, kernel: true },
  { key: "default", of: (config) => config.default, kernel: true },
  { key: "default-upstream", of: (config) => config.defaultUpstream, kernel: true },
  { key: "upstreams", of: ({ upstreams }) => upstreams, kernel: true },
  { key: "groups", of: ({ groups }) => groups, kernel: true },
  { key: "checks.interval", of: ({ checks }) => checks.intervalMs },
  { key: "checks.timeout", of: ({ checks }) => checks.timeoutMs },
  { key: "checks.rise", of: ({ checks }) => checks.rise },
  { key: "checks.fall", of: ({ checks }) => checks.fall },
  { key: "checks.target", of: ({ checks }) => checks.target },
  { key: "udp.filtering", of: ({ udp }) => udp.filtering, kernel: true },
  { key: "udp.tos", of: ({ udp }) => udp.tos },
  { key: "timeouts.connect", of: ({ timeouts }) => timeouts.connectMs },
  { key: "timeouts.tcp-idle", of: ({ timeouts }) => timeouts.tcpIdleMs },
  { key: "timeouts.half-closed", of: ({ timeouts }) => timeouts.halfClosedMs },
  { key: "timeouts.udp-idle", of: ({ timeouts }) => timeouts.udpIdleMs },
  { key: "timeouts.udp-dns", of: ({ timeouts }) => timeouts.udpDnsMs },
  { key: "timeouts.sniff", of: ({ timeouts }) => timeouts.sniffMs },
  { key: "timeouts.drain", of: ({ timeouts }) => timeouts.drainMs },
  { key: "limits.per-client", of: ({ limits }) => limits.perClient },
  { key: "log.level", of: ({ log }) => log.level },
  { key: "log.access", of: ({ log }) => log.access },
];

/** The keys that only a restart takes over. */
export const RESTART_KEYS: readonly string[] = FIXED.map(({ key }) => key);

/** Lists the values of these keys. */
export function fixedKeys(config: Config): { readonly key: string; readonly value: unknown }[] {
  return FIXED.map(({ key, of }) => ({ key, value: of(config) }));
}

/**
 * Compares a config with the one in force. Rules that differ are named by their place, where all have theirs
 * still.
 */
export function compareConfigs(inForce: Config, next: Config): Changes {
  const differing = (keys: readonly Key[]) => keys.filter(({ of }) => !isSame(of(inForce), of(next)));
  const adoptable = differing(ADOPTABLE);
  return {
    restart: differing(FIXED).map(({ key }) => key),
    adoptable: adoptable.flatMap(({ key }) =>
      key === "rules" ? differingRules(inForce.rules, next.rules) : [key]
    ),
    kernel: adoptable.some(({ kernel }) => kernel),
  };
}

function differingRules(inForce: Config["rules"], next: Config["rules"]): string[] {
  if (inForce.length !== next.length) return ["rules"];
  return next.flatMap((rule, index) => isSame(rule, inForce[index]) ? [] : [`rules[${index}]`]);
}

/** Compares plain data: lists, objects, bytes. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    return compareKeys(a, b) === 0 && a.length === b.length;
  }
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) =>
    Object.hasOwn(b, key) &&
    isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key])
  );
}
