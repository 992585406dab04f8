/**
 * The configuration as the rest of the program sees it: complete, checked, with units in the names.
 * @module
 */
import type { Endpoint, Family, Prefix } from "../net/ip.ts";

/** A transport protocol that is intercepted. */
export type Protocol = "tcp" | "udp";
/** What happens to new flows while no proxy is running. */
export type OnFailure = "open" | "reset" | "drop";
/** How `direct` dials: with the client's address and port, its address and any port, or the router's own address. */
export type Source = "client" | "client-address" | "router";
/** What a rule does with a flow. */
export type Action = "bypass" | "block" | "direct" | "deliver" | "proxy";
/** Severity of a log line. */
export type LogLevel = "error" | "warn" | "info" | "debug";

/** Inclusive range of ports; one port is a range with equal ends. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** What is intercepted. */
export interface InterceptConfig {
  /** LAN interfaces by name; `auto`: every interface that holds no default route, loopback excluded. */
  readonly interfaces: "auto" | readonly string[];
  readonly protocols: readonly Protocol[];
  /** Destination ports, sorted and merged; `all`: no port filter. */
  readonly ports: "all" | readonly PortRange[];
  readonly families: readonly Family[];
  readonly routerTraffic: boolean;
  readonly onFailure: OnFailure;
}

/** A rule; the first that matches decides. A matcher that is absent matches everything. */
export interface RuleConfig {
  readonly name: string;
  readonly from?: readonly Prefix[];
  readonly to?: readonly Prefix[];
  readonly ports?: readonly PortRange[];
  readonly protocol?: Protocol;
  readonly interfaces?: readonly string[];
  readonly mac?: readonly string[];
  readonly domains?: readonly string[];
  readonly action: Action;
  readonly deliverPort?: number;
  readonly upstream?: string;
}

/** An upstream proxy. */
export interface UpstreamConfig {
  readonly type: "socks5" | "http-connect" | "forward";
  readonly address: Endpoint | { readonly host: string; readonly port: number };
  readonly username?: string;
  readonly passwordFile?: string;
  readonly proxyProtocol?: "v1" | "v2";
}

/** Durations, all in milliseconds. */
export interface TimeoutsConfig {
  readonly connectMs: number;
  readonly tcpIdleMs: number;
  readonly halfClosedMs: number;
  readonly udpIdleMs: number;
  readonly udpDnsMs: number;
  readonly sniffMs: number;
  readonly drainMs: number;
}

/** Upper bounds. */
export interface LimitsConfig {
  /** Live connections over all workers; `auto`: what the descriptor limit allows. */
  readonly connections: "auto" | number;
  /** 0: no limit. */
  readonly perClient: number;
  readonly udpSessions: number;
}

/** Everything that can be configured. */
export interface Config {
  readonly version: 1;
  readonly intercept: InterceptConfig;
  readonly listener: { readonly port: number; readonly workers: "auto" | number };
  readonly kernel: {
    /** One bit, or several; the two bits above it are ours as well. */
    readonly mark: number;
    readonly table: number;
    readonly backend: "netlink" | "iptables";
  };
  readonly source: Source;
  readonly rules: readonly RuleConfig[];
  readonly default: "bypass" | "direct" | "block" | "proxy";
  readonly upstreams: Readonly<Record<string, UpstreamConfig>>;
  readonly timeouts: TimeoutsConfig;
  readonly limits: LimitsConfig;
  readonly control: string;
  readonly metrics: string;
  readonly log: {
    readonly level: LogLevel;
    readonly format: "text" | "json";
    readonly access: "off" | "on";
  };
}
