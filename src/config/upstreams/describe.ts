/**
 * Upstreams, groups and checks in words. No password is ever among them.
 * @module
 */
import { hex } from "../../net/hex.ts";
import { formatEndpoint, formatIp } from "../../net/ip.ts";
import type { CheckConfig, GroupConfig, HostAndPort, UpstreamConfig } from "./types.ts";
import { formatDuration } from "../values/duration.ts";

/** `socks5 10.9.0.2:1080, user me`. `checks`: the defaults, which are not repeated. */
export function describeUpstream(upstream: UpstreamConfig, checks: CheckConfig): string {
  const { type, families, udp, check } = upstream;
  const parts = [
    "address" in upstream ? `${type} ${formatHostAndPort(upstream.address)}` : type,
    "username" in upstream && `user ${upstream.username}`,
    "send" in upstream && upstream.send === "name" && "is told names",
    "udpAddress" in upstream && upstream.udpAddress && `UDP at ${formatIp(upstream.udpAddress)}`,
    "proxyProtocol" in upstream && `PROXY protocol ${upstream.proxyProtocol}`,
    "interface" in upstream && `through ${upstream.interface}`,
    "mark" in upstream && upstream.mark && `mark ${hex(upstream.mark.value)}/${hex(upstream.mark.mask)}`,
    "source" in upstream && `source ${upstream.source}`,
    families.length === 1 && `${families[0]} only`,
    !udp && type !== "http-connect" && type !== "direct" && "no UDP",
    udp && type === "direct" && "UDP too",
    describeCheck(check) !== describeCheck({ ...checks, target: check.target }) &&
    `check ${describeCheck(check)}`,
  ];
  return parts.filter((part) => typeof part === "string").join(", ");
}

/** `office, office2: failover, when down: block`. */
export function describeGroup({ members, strategy, whenDown }: GroupConfig): string {
  return `${members.join(", ")}: ${strategy}, when down: ${whenDown}`;
}

/** `every 10s, timeout 3s, rise 2, fall 3, target none`. */
function describeCheck(check: CheckConfig): string {
  const { intervalMs, timeoutMs, rise, fall } = check;
  const times = `every ${formatDuration(intervalMs)}, timeout ${formatDuration(timeoutMs)}`;
  return `${times}, rise ${rise}, fall ${fall}, target ${formatTarget(check)}`;
}

/** `none`, `www.example.com:443`. */
export function formatTarget({ target }: CheckConfig): string {
  return target === "none" ? target : formatHostAndPort(target);
}

/** `10.9.0.2:1080`, `proxy.example:3128`. */
export function formatHostAndPort(place: HostAndPort): string {
  return "host" in place ? `${place.host}:${place.port}` : formatEndpoint(place);
}
