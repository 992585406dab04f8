/**
 * Settings that may change while a worker runs. Pure.
 * @module
 */
import type { Config, Source } from "../config/types.ts";
import type { LogLevel } from "../log.ts";
import { ticks } from "./loop/wheel.ts";
import type { UpstreamSettings } from "./upstream/settings.ts";
import type { Sockaddr } from "./upstream/upstream.ts";

/**
 * Settings in force: frozen plain data, so that a worker is given the next ones whole, between two turns. A
 * service reads them through `context.settings` at use, and never copies one into a field. Times are in ticks
 * of the worker's clock.
 */
export interface Settings {
  readonly source: Source;
  /** Live connections of all workers together. */
  readonly maxConnections: number;
  /** Live connections, and live UDP sessions, of one client over all workers; 0: no limit. */
  readonly perClient: number;
  readonly connectTicks: number;
  /** The time that a client has to begin, where its name decides. */
  readonly sniffTicks: number;
  /** Infinity: never. */
  readonly idleTicks: number;
  /** Infinity: never. */
  readonly halfClosedTicks: number;
  readonly udp: UdpSettings;
  /** Upstream proxies. */
  readonly upstreams: readonly UpstreamSettings[];
  readonly logLevel: LogLevel;
}

/** The part of the settings that is about UDP alone. */
export interface UdpSettings {
  /** Live sessions of all workers together. */
  readonly maxSessions: number;
  /** Answers come only from where the client has sent to. */
  readonly filter: boolean;
  /** TOS and traffic class are carried over. */
  readonly tos: boolean;
  readonly idleTicks: number;
  readonly dnsTicks: number;
}

/** The part of the config that becomes settings. */
export type SettingsConfig = Pick<Config, "source" | "limits" | "timeouts" | "udp" | "log">;

/**
 * The settings with other addresses of one upstream. One to which a reload gives another address has another
 * place as well, and so is never told those of the one before.
 */
export function withAddresses(
  settings: Settings,
  { place, list }: { readonly place: number; readonly list: readonly Sockaddr[] },
): Settings {
  const upstreams = settings.upstreams.map((own) => own.place === place ? { ...own, addresses: list } : own);
  return Object.freeze({ ...settings, upstreams });
}

function silence(milliseconds: number | "never"): number {
  return milliseconds === "never" ? Infinity : ticks(milliseconds);
}

/** The settings of a config in a process that has room for so much. `upstreams`: its own, resolved. */
export function settingsOf(
  config: SettingsConfig,
  room: { readonly connections: number; readonly udpSessions: number },
  upstreams: readonly UpstreamSettings[] = [],
): Settings {
  const { timeouts } = config;
  return Object.freeze({
    source: config.source,
    maxConnections: room.connections,
    perClient: config.limits.perClient,
    connectTicks: ticks(timeouts.connectMs),
    sniffTicks: ticks(timeouts.sniffMs),
    idleTicks: silence(timeouts.tcpIdleMs),
    halfClosedTicks: silence(timeouts.halfClosedMs),
    udp: Object.freeze({
      maxSessions: room.udpSessions,
      filter: config.udp.filtering === "address-and-port-dependent",
      tos: config.udp.tos === "carry",
      idleTicks: ticks(timeouts.udpIdleMs),
      dnsTicks: ticks(timeouts.udpDnsMs),
    }),
    upstreams,
    logLevel: config.log.level,
  });
}
