/**
 * The configuration as the rest of the program sees it: complete, checked, with units in the names.
 * @module
 */
import type { LogLevel } from "../log.ts";
import type { Family, Prefix } from "../net/ip.ts";
import type { CheckConfig, GroupConfig, Source, UpstreamConfig, WhenDown } from "./upstreams/types.ts";

export type * from "./upstreams/types.ts";

/** A transport protocol that is intercepted. */
export type Protocol = "tcp" | "udp";
/** The fate of new flows while no proxy is running. */
export type OnFailure = "open" | "reset" | "drop";
/** The fate of connections that ask for several paths (Multipath TCP). */
export type Mptcp = "relay" | "forward";
/**
 * The place at which a new flow is taken: at the end of the forward path, after the router's own rules,
 * routes and NAT; or before all of them.
 */
export type Admission = "forward-path" | "early";
/** The action of a rule on a flow. */
export type Action = "bypass" | "block" | "direct" | "deliver" | "proxy";
/**
 * The senders whose datagrams reach a client at an address and port from which it has sent something (RFC
 * 4787, section 5): anybody, or those to whom it has sent.
 */
export type UdpFiltering = "endpoint-independent" | "address-and-port-dependent";
/** Inclusive range of ports; one port is a range with equal ends. */
export interface PortRange {
  /** The lowest port. */
  readonly first: number;
  /** The highest port. */
  readonly last: number;
}

/** The flows that are intercepted. */
export interface InterceptConfig {
  /** LAN interfaces by name; `auto`: every interface that holds no default route, loopback excluded. */
  readonly interfaces: "auto" | readonly string[];
  /** Transport protocols. */
  readonly protocols: readonly Protocol[];
  /** Destination ports, sorted and merged; `all`: no port filter. */
  readonly ports: "all" | readonly PortRange[];
  /** Address families. */
  readonly families: readonly Family[];
  /** `router-traffic`: also what the router itself sends. */
  readonly routerTraffic: boolean;
  /** `on-failure`: what happens to new flows while no proxy is running. */
  readonly onFailure: OnFailure;
  /** Connections of Multipath TCP: `relay`: they fall back to one path | `forward`: the proxy gets none. */
  readonly mptcp: Mptcp;
  /** The place at which a new flow is taken, if the backend can: policy/admission.ts. */
  readonly admission: Admission;
}

/** A rule; the first that matches decides. A matcher that is absent matches everything. */
export interface RuleConfig {
  /** Its name in logs and messages. */
  readonly name: string;
  /** Client networks, those of `from-file` among them. */
  readonly from?: readonly Prefix[];
  /** `from-file`: the list that a part of them comes from. */
  readonly fromFile?: string;
  /** Destination networks, those of `to-file` among them. */
  readonly to?: readonly Prefix[];
  /** `to-file`: the list that a part of them comes from. */
  readonly toFile?: string;
  /** Destination ports, sorted and merged. */
  readonly ports?: readonly PortRange[];
  /** Transport protocol. */
  readonly protocol?: Protocol;
  /** `in` or `interfaces`: where the flow comes from. */
  readonly interfaces?: readonly string[];
  /** Clients' hardware addresses. */
  readonly mac?: readonly string[];
  /** Names from TLS, HTTP or QUIC: `x`, `*.x` (any name below) or `.x` (both). One set with `domainFiles`. */
  readonly domains?: readonly string[];
  /** `domains-file`: lists of names; their content is no part of the config. */
  readonly domainFiles?: readonly string[];
  /** The action on a flow that matches. */
  readonly action: Action;
  /** For `block`: the client is told nothing. */
  readonly silent?: boolean;
  /** `deliver-port`: the port of the other TPROXY program. */
  readonly deliverPort?: number;
  /** Name of the upstream or the group, for `proxy`. */
  readonly upstream?: string;
  /** `when-down`, for `proxy`, in place of the group's. */
  readonly whenDown?: WhenDown;
}

/** The relaying of UDP. */
export interface UdpConfig {
  /** The senders whose datagrams a client receives. */
  readonly filtering: UdpFiltering;
  /** Tells whether the TOS byte (IPv6: traffic class), with DSCP and ECN, is carried over. */
  readonly tos: "carry" | "clear";
}

/** Durations, all in milliseconds. */
export interface TimeoutsConfig {
  /** `timeouts.connect`: until the upstream answers. */
  readonly connectMs: number;
  /** `timeouts.tcp-idle`: silence after which a connection ends that both ends still hold. */
  readonly tcpIdleMs: number | "never";
  /** `timeouts.half-closed`: the same of a half-closed connection. */
  readonly halfClosedMs: number | "never";
  /** `timeouts.udp-idle`: silence after which another session ends. */
  readonly udpIdleMs: number;
  /** `timeouts.udp-dns`: silence after which a session to port 53 ends. */
  readonly udpDnsMs: number;
  /** `timeouts.sniff`: how long a name is waited for. */
  readonly sniffMs: number;
  /** `timeouts.drain`: how long live connections may take to end. */
  readonly drainMs: number;
}

/** Upper bounds. */
export interface LimitsConfig {
  /** Live connections over all workers; `auto`: what the descriptor limit allows. */
  readonly connections: "auto" | number;
  /** `limits.per-client`: live connections, and live UDP sessions, of one client address; 0: no limit. */
  readonly perClient: number;
  /** `limits.udp-sessions`: live UDP sessions. */
  readonly udpSessions: number;
}

/** Everything that can be configured. */
export interface Config {
  /** Version of the config's format. */
  readonly version: 1;
  /** `intercept`: what is intercepted. */
  readonly intercept: InterceptConfig;
  /** `listener`: the port of the transparent listener, and the number of worker threads. */
  readonly listener: { readonly port: number; readonly workers: "auto" | number };
  /** `kernel`: what is used of the kernel's numbers. */
  readonly kernel: {
    /** One bit, or several; the two bits above it are ours as well, three with `router-traffic`. */
    readonly mark: number;
    readonly table: number;
    readonly backend: "netlink" | "iptables";
  };
  /** `source`: whom servers see. */
  readonly source: Source;
  /** `rules`: the first that matches decides. */
  readonly rules: readonly RuleConfig[];
  /** `default`: what becomes of a flow that no rule matches. */
  readonly default: "bypass" | "direct" | "block" | "proxy";
  /** `default-upstream`: name of the upstream or the group, with `default: proxy`. */
  readonly defaultUpstream?: string;
  /** `upstreams` by name. */
  readonly upstreams: Readonly<Record<string, UpstreamConfig>>;
  /** `groups` by name. No group has the name of an upstream. */
  readonly groups: Readonly<Record<string, GroupConfig>>;
  /** `checks`: the defaults of upstreams' checks. */
  readonly checks: CheckConfig;
  /** `udp`: how UDP is relayed. */
  readonly udp: UdpConfig;
  /** `timeouts`, all in milliseconds. */
  readonly timeouts: TimeoutsConfig;
  /** `limits`: upper bounds. */
  readonly limits: LimitsConfig;
  /** `control`: path of the control socket, or `off`. */
  readonly control: string;
  /** `metrics`: address and port of the metrics, or `off`. */
  readonly metrics: string;
  /** `log`: what is logged, and how. */
  readonly log: {
    readonly level: LogLevel;
    readonly format: "text" | "json";
    /** `on`: where the log goes; else the path of a file, or `off`. */
    readonly access: string;
  };
}
