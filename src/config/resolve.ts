/**
 * From the keys as they are written to the complete Config.
 * @module
 */
import type { Prefix } from "../net/ip.ts";
import { DEFAULT_CONFIG } from "./defaults.ts";
import type { NetworkLists } from "./files/networks.ts";
import { mergePorts } from "./values/ports.ts";
import type { ConfigFile } from "./schema/schema.ts";
import { defined } from "./values/defined.ts";
import { resolveChecks, resolveGroups, resolveUpstreams } from "./upstreams/resolve.ts";
import type { Config, InterceptConfig, RuleConfig, TimeoutsConfig } from "./types.ts";

/** Fills in the defaults, and the lists that rules take from files. */
export function resolveConfig(file: ConfigFile, lists: NetworkLists): Config {
  const { intercept, timeouts, rules, upstreams, default: fallback, source, control, metrics } = file;
  const limits = file.limits ?? {};
  const checks = resolveChecks(file.checks, DEFAULT_CONFIG.checks);
  return {
    version: 1,
    intercept: resolveIntercept(intercept ?? {}),
    listener: { ...DEFAULT_CONFIG.listener, ...defined(file.listener ?? {}) },
    kernel: { ...DEFAULT_CONFIG.kernel, ...defined(file.kernel ?? {}) },
    source: source ?? DEFAULT_CONFIG.source,
    rules: (rules ?? []).map((rule, index) => resolveRule(rule, { index, lists })),
    default: fallback ?? DEFAULT_CONFIG.default,
    ...defined({ defaultUpstream: file["default-upstream"] }),
    upstreams: resolveUpstreams(upstreams ?? {}, checks, file.source ?? DEFAULT_CONFIG.source),
    groups: resolveGroups(file.groups ?? {}),
    checks,
    udp: { ...DEFAULT_CONFIG.udp, ...defined(file.udp ?? {}) },
    timeouts: resolveTimeouts(timeouts ?? {}),
    limits: {
      connections: limits.connections ?? DEFAULT_CONFIG.limits.connections,
      perClient: limits["per-client"] ?? DEFAULT_CONFIG.limits.perClient,
      udpSessions: limits["udp-sessions"] ?? DEFAULT_CONFIG.limits.udpSessions,
    },
    control: control ?? DEFAULT_CONFIG.control,
    metrics: metrics ?? DEFAULT_CONFIG.metrics,
    log: { ...DEFAULT_CONFIG.log, ...defined(file.log ?? {}) },
  };
}

function resolveIntercept(given: NonNullable<ConfigFile["intercept"]>): InterceptConfig {
  const defaults = DEFAULT_CONFIG.intercept;
  const { interfaces, protocols, ports, families } = given;
  return {
    interfaces: interfaces === undefined || interfaces === "auto" ? defaults.interfaces : unique(interfaces),
    protocols: protocols === undefined ? defaults.protocols : unique(protocols),
    ports: ports === undefined || ports === "all" ? defaults.ports : mergePorts(ports),
    families: families === undefined ? defaults.families : unique(families),
    routerTraffic: given["router-traffic"] ?? defaults.routerTraffic,
    onFailure: given["on-failure"] ?? defaults.onFailure,
    mptcp: given.mptcp ?? defaults.mptcp,
    admission: given.admission ?? defaults.admission,
  };
}

function resolveTimeouts(given: NonNullable<ConfigFile["timeouts"]>): TimeoutsConfig {
  const defaults = DEFAULT_CONFIG.timeouts;
  return {
    connectMs: given.connect ?? defaults.connectMs,
    tcpIdleMs: given["tcp-idle"] ?? defaults.tcpIdleMs,
    halfClosedMs: given["half-closed"] ?? defaults.halfClosedMs,
    udpIdleMs: given["udp-idle"] ?? defaults.udpIdleMs,
    udpDnsMs: given["udp-dns"] ?? defaults.udpDnsMs,
    sniffMs: given.sniff ?? defaults.sniffMs,
    drainMs: given.drain ?? defaults.drainMs,
  };
}

function resolveRule(
  given: NonNullable<ConfigFile["rules"]>[number],
  { index, lists }: { index: number; lists: NetworkLists },
): RuleConfig {
  const { name, protocol, mac, domains, action, silent, upstream } = given;
  if (action === undefined) throw new TypeError("A rule without action passed the schema");
  const fromFile = given["from-file"];
  const toFile = given["to-file"];
  return {
    name: name ?? `rule ${index + 1}`,
    ...defined({ from: joinNetworks(given.from, fromFile, lists), fromFile }),
    ...defined({ to: joinNetworks(given.to, toFile, lists), toFile }),
    ...defined({ protocol, interfaces: given.in ?? given.interfaces, mac, domains }),
    ...defined({ domainFiles: given["domains-file"] && unique(given["domains-file"]) }),
    ...defined({ ports: given.ports && mergePorts(given.ports), silent, upstream }),
    ...defined({ whenDown: given["when-down"], deliverPort: given["deliver-port"] }),
    action,
  };
}

/**
 * Joins the values of the rule and of its file; `undefined`, which matches everything, where neither is
 * given.
 */
function joinNetworks(
  written: readonly Prefix[] | undefined,
  file: string | undefined,
  lists: NetworkLists,
): readonly Prefix[] | undefined {
  if (file === undefined) return written;
  const listed = lists.get(file);
  if (listed === undefined) throw new TypeError(`The list ${file} was not read`);
  return written === undefined ? listed : [...written, ...listed];
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
