/**
 * The proxy's reports of itself: at its start, at its end, and in one line to the service manager. Pure.
 * @module
 */
import type { Config } from "../config/types.ts";
import type { Dataplane } from "../dataplane/supervisor.ts";
import type { Logger } from "../log.ts";
import type { Family } from "../net/ip.ts";
import { DESCRIPTORS_HINT } from "./descriptors.ts";

/** Fewer live connections than these are soon used up. */
const FEW = 1000;

/** Facts at the start. */
export interface StartFacts {
  readonly version: string;
  readonly config: Config;
  /** Origin of the config. */
  readonly origin: string;
  readonly families: readonly Family[];
  readonly dataplane: Dataplane;
  /** Reason for the number of workers. */
  readonly reason: string;
}

/** Logs what it does, and where its limits are lower than what the config asks for. */
export function announce(log: Logger, facts: StartFacts): void {
  const { version, config, origin, families, dataplane, reason } = facts;
  const protocols = config.intercept.protocols.map((protocol) => protocol.toUpperCase()).join(" and ");
  log.info(`tproxy ${version} relays ${protocols} to the original destination`, {
    config: origin,
    port: config.listener.port,
    families: families.join(","),
    source: config.source,
    workers: dataplane.workers,
    "workers-by": reason,
    ...(dataplane.maxConnections > 0 ? { "max-connections": dataplane.maxConnections } : {}),
    ...(dataplane.maxUdpSessions > 0 ? { "max-udp-sessions": dataplane.maxUdpSessions } : {}),
  });
  const { connections } = config.limits;
  const possible = config.intercept.protocols.includes("tcp")
    ? dataplane.maxConnections
    : dataplane.maxUdpSessions;
  const isWanted = possible === connections && config.intercept.protocols.includes("tcp");
  if (possible < FEW && !isWanted) {
    log.warn("the descriptor limit is low: a page in a browser takes dozens of connections", {
      possible,
      descriptors: dataplane.descriptors,
      remedy: DESCRIPTORS_HINT,
    });
  }
  if (
    connections !== "auto" && config.intercept.protocols.includes("tcp") &&
    connections > dataplane.maxConnections
  ) {
    log.warn("limits.connections is more than the descriptor limit allows", {
      wanted: connections,
      possible: dataplane.maxConnections,
      descriptors: dataplane.descriptors,
    });
  }
}

/** Sums up its work, for its last line. */
export function summarize(dataplane: Dataplane): Record<string, number> {
  const counters = dataplane.counters();
  const { accepted, connected, refused, timedOut, failed, bytesUp, bytesDown } = counters;
  return {
    accepted,
    connected,
    refused,
    "timed-out": timedOut,
    failed,
    "bytes-up": bytesUp,
    "bytes-down": bytesDown,
    ...(dataplane.maxUdpSessions === 0 ? {} : {
      "udp-sessions": counters.udpOpened,
      "udp-up": counters.udpUp,
      "udp-down": counters.udpDown,
      "udp-dropped": counters.udpDropped + counters.udpRefused,
    }),
  };
}

/** Facts of the line for the service manager. */
export interface StatusFacts {
  readonly phase: "running" | "draining";
  /** Live connections, live UDP sessions. */
  readonly connections: number;
  readonly udpSessions: number;
  readonly families: readonly Family[];
  /** State of the rules, in words. */
  readonly rules: string;
  /** Numbers of workers that hang. */
  readonly hanging: readonly number[];
  /** Reason why the last reload was refused, and the config in force since; undefined: it was not. */
  readonly refused: { readonly refusal: string; readonly generation: number } | undefined;
}

/** `12 connections, 3 UDP sessions; IPv4 and IPv6; rules for br-lan`: what `systemctl status` shows. */
export function describeStatus(facts: StatusFacts): string {
  const { phase, connections, udpSessions, families, rules, hanging, refused } = facts;
  const names = families.map((family) => family === "ipv4" ? "IPv4" : "IPv6").join(" and ");
  const live = `${count(connections, "connection")}, ${count(udpSessions, "UDP session")}`;
  return [
    ...(hanging.length === 0 ? [] : [`HANGS: ${count(hanging.length, "worker")} (${hanging.join(", ")})`]),
    phase === "draining" ? `draining: ${live}` : live,
    names,
    rules,
    ...(refused === undefined ? [] : [
      `NOT RELOADED, generation ${refused.generation} is in force: ${refused.refusal}`,
    ]),
  ].join("; ");
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
