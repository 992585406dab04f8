/**
 * A config in words.
 * @module
 */
import { hex } from "../net/hex.ts";
import { formatPrefix, type Prefix } from "../net/ip.ts";
import { describeGroup, describeUpstream, formatTarget } from "./upstreams/describe.ts";
import { formatDuration } from "./values/duration.ts";
import { formatPorts } from "./values/ports.ts";
import type { Config, RuleConfig } from "./types.ts";

const SHOWN = 8;

/** Every key as it is written in a config, with its value in effect. */
export function describeConfig(config: Config): [key: string, text: string][] {
  const { intercept, listener, kernel, checks, udp, timeouts, limits, log } = config;
  return [
    [
      "intercept.interfaces",
      intercept.interfaces === "auto"
        ? "auto (every one without a default route)"
        : intercept.interfaces.join(", "),
    ],
    ["intercept.protocols", intercept.protocols.join(", ")],
    ["intercept.ports", intercept.ports === "all" ? "all" : formatPorts(intercept.ports)],
    ["intercept.families", intercept.families.join(", ")],
    ["intercept.router-traffic", String(intercept.routerTraffic)],
    ["intercept.on-failure", intercept.onFailure],
    ["intercept.mptcp", intercept.mptcp],
    ["intercept.admission", intercept.admission],
    ["listener.port", String(listener.port)],
    ["listener.workers", String(listener.workers)],
    ["kernel.mark", hex(kernel.mark)],
    ["kernel.table", String(kernel.table)],
    ["kernel.backend", kernel.backend],
    ["source", config.source],
    ...(config.rules.length === 0 ? [["rules", "none"]] : config.rules.map(describeRule)) as [
      string,
      string,
    ][],
    ["default", config.default],
    ["default-upstream", config.defaultUpstream ?? "none"],
    ...describeNamed("upstreams", config.upstreams, (upstream) => describeUpstream(upstream, checks)),
    ...describeNamed("groups", config.groups, describeGroup),
    ["checks.interval", formatDuration(checks.intervalMs)],
    ["checks.timeout", formatDuration(checks.timeoutMs)],
    ["checks.rise", String(checks.rise)],
    ["checks.fall", String(checks.fall)],
    ["checks.target", formatTarget(checks)],
    ["udp.filtering", udp.filtering],
    ["udp.tos", udp.tos],
    ["timeouts.connect", formatDuration(timeouts.connectMs)],
    ["timeouts.tcp-idle", formatSilence(timeouts.tcpIdleMs)],
    ["timeouts.half-closed", formatSilence(timeouts.halfClosedMs)],
    ["timeouts.udp-idle", formatDuration(timeouts.udpIdleMs)],
    ["timeouts.udp-dns", formatDuration(timeouts.udpDnsMs)],
    ["timeouts.sniff", formatDuration(timeouts.sniffMs)],
    ["timeouts.drain", formatDuration(timeouts.drainMs)],
    ["limits.connections", String(limits.connections)],
    ["limits.per-client", limits.perClient === 0 ? "0 (no limit)" : String(limits.perClient)],
    ["limits.udp-sessions", String(limits.udpSessions)],
    ["control", config.control],
    ["metrics", config.metrics],
    ["log.level", log.level],
    ["log.format", log.format],
    ["log.access", log.access],
  ];
}

function describeNamed<T>(
  section: string,
  items: Readonly<Record<string, T>>,
  describe: (item: T) => string,
): [string, string][] {
  const entries = Object.entries(items);
  if (entries.length === 0) return [[section, "none"]];
  return entries.map(([name, item]) => [`${section}.${name}`, describe(item)]);
}

function formatSilence(milliseconds: number | "never"): string {
  return milliseconds === "never" ? "never (while both ends answer)" : formatDuration(milliseconds);
}

function describeRule(rule: RuleConfig, index: number): [string, string] {
  const parts = [
    rule.from && `from ${describeNetworks(rule.from, rule.fromFile)}`,
    rule.to && `to ${describeNetworks(rule.to, rule.toFile)}`,
    rule.protocol,
    rule.ports && `ports ${formatPorts(rule.ports)}`,
    rule.interfaces && `interfaces ${rule.interfaces.join(", ")}`,
    rule.mac && `mac ${rule.mac.join(", ")}`,
    (rule.domains ?? rule.domainFiles) && `domains ${describeDomains(rule)}`,
  ].filter((part) => part !== undefined);
  const target = rule.deliverPort ?? rule.upstream;
  const verb = rule.silent === true ? `${rule.action} silently` : rule.action;
  const otherwise = rule.whenDown === undefined ? "" : `, when down: ${rule.whenDown}`;
  const action = target === undefined ? verb : `${verb} to ${target}${otherwise}`;
  return [
    `rules[${index}]`,
    `${rule.name}: ${parts.length === 0 ? "everything" : parts.join("; ")} → ${action}`,
  ];
}

function describeDomains({ domains = [], domainFiles = [] }: RuleConfig): string {
  const shown = domains.length > SHOWN ? [...domains.slice(0, SHOWN), `… (${domains.length})`] : domains;
  return [...shown, ...domainFiles.map((file) => `those in ${file}`)].join(", ");
}

/** A list from a file may have any length. */
function describeNetworks(networks: readonly Prefix[], file: string | undefined): string {
  const shown = networks.slice(0, SHOWN).map(formatPrefix).join(", ");
  const listed = networks.length > SHOWN ? `${networks.length} networks, ${shown}, …` : shown || "no network";
  return file === undefined ? listed : `${listed} (with ${file})`;
}
