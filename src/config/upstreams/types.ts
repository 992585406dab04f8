/**
 * Upstreams, groups and checks as the rest of the program sees them: complete, checked.
 * @module
 */
import type { Endpoint, Family, IpAddress } from "../../net/ip.ts";

/**
 * The source of dialled connections: with the client's address and port, its address and any port, or the
 * router's own address.
 */
export type Source = "client" | "client-address" | "router";
/** The fate of flows whose upstream is down, or cannot carry them. */
export type WhenDown = "block" | "direct";
/** The choice among the members of a group. */
export type Strategy = "failover" | "least-connections" | "hash";
/** A place by address or by name, with a port. */
export type HostAndPort = Endpoint | { readonly host: string; readonly port: number };

/** The checks of an upstream. */
export interface CheckConfig {
  /** `interval`: from one check to the next. */
  readonly intervalMs: number;
  /** `timeout`: until a check has failed. */
  readonly timeoutMs: number;
  /** Successes in a row after which it is up. */
  readonly rise: number;
  /** Faults in a row after which it is down. */
  readonly fall: number;
  /** A server that is dialled through it; `none`: the upstream itself is all that is asked. */
  readonly target: "none" | HostAndPort;
}

/** Keys of every upstream. */
export interface AnyUpstream {
  /** The address families of servers that it reaches. */
  readonly families: readonly Family[];
  /** Tells whether it carries UDP. */
  readonly udp: boolean;
  /** Its checks, with the defaults of `checks` filled in. */
  readonly check: CheckConfig;
}

/** Keys of a proxy that is told where to go. */
export interface AskedUpstream extends AnyUpstream {
  /** The place at which it listens. */
  readonly address: HostAndPort;
  /** User name for it. */
  readonly username?: string;
  /** `password-file`: where the password stands; config/files/secrets.ts reads it. */
  readonly passwordFile?: string;
  /** The place that it is told, for a TCP flow that has a name: the server's address, or the name. */
  readonly send: "address" | "name";
}

/** A SOCKS 5 proxy. */
export interface Socks5Config extends AskedUpstream {
  /** Its type. */
  readonly type: "socks5";
  /** `udp-address`: where it relays UDP, whatever address it names. */
  readonly udpAddress?: IpAddress;
}

/** An HTTP proxy that knows CONNECT. It carries no UDP. */
export interface HttpConnectConfig extends AskedUpstream {
  /** Its type. */
  readonly type: "http-connect";
}

/** A server that gets every flow, whatever its destination was. */
export interface ForwardConfig extends AnyUpstream {
  /** Its type. */
  readonly type: "forward";
  /** Port 0: the port of the flow. */
  readonly address: HostAndPort;
  /** `proxy-protocol`: version of the PROXY header that is sent first. */
  readonly proxyProtocol?: "v1" | "v2";
  /** The sender that it sees. */
  readonly source: Source;
}

/** A mark; bits outside of the mask are left alone. */
export interface MaskedMark {
  /** The bits that are set. */
  readonly value: number;
  /** The bits that are set or cleared. */
  readonly mask: number;
}

/** The flow's own server, by a way of its own. It carries no UDP unless the config asks for it. */
export interface DirectUpstreamConfig extends AnyUpstream {
  /** Its type. */
  readonly type: "direct";
  /** The interface through which it leaves. */
  readonly interface?: string;
  /** Bits of its packets' mark. */
  readonly mark?: MaskedMark;
  /** The sender that servers see. The client's port is kept with `admission: early` alone. */
  readonly source: Source;
}

/** An upstream. */
export type UpstreamConfig = Socks5Config | HttpConnectConfig | ForwardConfig | DirectUpstreamConfig;

/** Several upstreams of which one is chosen for each flow. */
export interface GroupConfig {
  /** Names of upstreams, at least one. */
  readonly members: readonly string[];
  /** The way in which one is chosen. */
  readonly strategy: Strategy;
  /** `when-down`: what becomes of flows when no member can carry them. */
  readonly whenDown: WhenDown;
}
