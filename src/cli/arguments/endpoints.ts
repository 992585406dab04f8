/**
 * Addresses of the tools nc and redirect: whether they are this machine's, and what to do where a socket
 * refuses.
 * @module
 */
import {
  AF_INET6,
  EACCES,
  EADDRINUSE,
  EADDRNOTAVAIL,
  EAFNOSUPPORT,
  ECONNREFUSED,
  EHOSTUNREACH,
  EINVAL,
  ENETUNREACH,
  EPERM,
  ETIMEDOUT,
} from "../../../ffi/consts.ts";
import { hostName, numericHost } from "../../../ffi/sockets/resolve.ts";
import { portOf, readSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { formatIp, isOfLinkAlone } from "../../net/ip.ts";
import { oneLine } from "../../net/one_line.ts";

/** An address in C's layout. */
export type Sockaddr = Uint8Array<ArrayBuffer>;

/** `192.0.2.1:80`, `[2001:db8::1]:80` or `[fe80::1%eth0]:80`. */
export function formatSockaddr(address: Sockaddr): string {
  const host = numericHost(address);
  return `${address[0] === AF_INET6 ? `[${host}]` : host}:${portOf(address)}`;
}

/** `192.0.2.1 80`, as netcat prints it: with the name of the host, unless only numbers are wanted. */
export function formatSpaced(address: Sockaddr, options: { numeric: boolean }): string {
  return `${options.numeric ? numericHost(address) : oneLine(hostName(address))} ${portOf(address)}`;
}

const NEEDS_INTERFACE = "An address of a link alone needs the name of its interface: fe80::1%eth0";

/** Advises the administrator when a socket does not get the address that it is to have. */
export function bindHint(errno: number, facts: { address: Sockaddr; foreign: boolean }): string {
  const { address: ip, port } = readSockaddr(facts.address);
  switch (errno) {
    case EPERM:
      return `${
        facts.foreign ? `${formatIp(ip)} is not an address of this machine: that takes` : "It takes"
      } a transparent socket, and these need root, or CAP_NET_RAW (or CAP_NET_ADMIN)`;
    case EACCES:
      return port > 0 && port < 1024 ? "Ports below 1024 need root, or CAP_NET_BIND_SERVICE" : "";
    case EADDRINUSE:
      return `Another program holds the port; "ss -lntup sport = :${port}" shows which`;
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
      return ip.family === "ipv6" ? "Is IPv6 on? (net.ipv6.conf.all.disable_ipv6)" : "";
    case EINVAL:
      return isOfLinkAlone(ip) ? NEEDS_INTERFACE : "";
    default:
      return "";
  }
}

/**
 * The same where a connection does not come about, or breaks. `source`: what it was bound to, if to
 * something.
 */
export function connectHint(
  errno: number,
  facts: { target: Sockaddr; source: Sockaddr | null; foreign: boolean },
): string {
  const { target, source, foreign } = facts;
  const ip = readSockaddr(target).address;
  const to = formatIp(ip);
  const from = source === null || !foreign ? "" : formatIp(readSockaddr(source).address);
  switch (errno) {
    case ECONNREFUSED:
      return "Nobody listens there, or a firewall on the way says so";
    case ETIMEDOUT:
      return from === ""
        ? "No answer: the host is off, or a firewall on the way drops packets"
        : `No answer, or no way back: what is sent to ${from} must be routed to this machine, and be delivered ` +
          `here (a divert rule and its policy routing, which "tproxy install" sets up)`;
    case ENETUNREACH:
    case EHOSTUNREACH:
      return `There is no way there; "ip route get ${to}" shows what the kernel says`;
    case EADDRNOTAVAIL:
      return "This connection exists already, or has just ended: take another source port";
    case EPERM:
      return "A firewall of this machine forbids it (output)";
    case EINVAL:
      return isOfLinkAlone(ip) ? NEEDS_INTERFACE : "";
    default:
      return "";
  }
}
