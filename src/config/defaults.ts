/**
 * Values of keys that the config does not have.
 * @module
 */
import { DEFAULT_MARK, DEFAULT_PORT, DEFAULT_ROUTE_TABLE } from "../constants.ts";
import type { Config } from "./types.ts";

const SECOND = 1000;

/** The config of an empty file. */
export const DEFAULT_CONFIG: Config = {
  version: 1,
  intercept: {
    interfaces: "auto",
    protocols: ["tcp", "udp"],
    ports: "all",
    families: ["ipv4", "ipv6"],
    routerTraffic: false,
    onFailure: "open",
    mptcp: "relay",
    admission: "forward-path",
  },
  listener: { port: DEFAULT_PORT, workers: "auto" },
  kernel: { mark: DEFAULT_MARK, table: DEFAULT_ROUTE_TABLE, backend: "netlink" },
  source: "client",
  rules: [],
  default: "direct",
  upstreams: {},
  groups: {},
  checks: { intervalMs: 10 * SECOND, timeoutMs: 3 * SECOND, rise: 2, fall: 3, target: "none" },
  udp: { filtering: "address-and-port-dependent", tos: "carry" },
  timeouts: {
    connectMs: 10 * SECOND,
    tcpIdleMs: "never",
    halfClosedMs: "never",
    udpIdleMs: 60 * SECOND,
    udpDnsMs: 10 * SECOND,
    sniffMs: 300,
    drainMs: 30 * SECOND,
  },
  limits: { connections: "auto", perClient: 0, udpSessions: 65536 },
  control: "/run/tproxy/control.sock",
  metrics: "off",
  log: { level: "info", format: "text", access: "off" },
};
