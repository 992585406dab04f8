/**
 * The sockets of the UDP relay. Returns descriptors or -errno.
 * @module
 */
import {
  AF_INET6,
  EADDRINUSE,
  IP_MTU_DISCOVER,
  IP_PMTUDISC_DONT,
  IP_PMTUDISC_PROBE,
  IP_RECVFRAGSIZE,
  IP_RECVORIGDSTADDR,
  IP_RECVTOS,
  IP_TOS,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_UDP,
  IPV6_CHECKSUM,
  IPV6_MTU_DISCOVER,
  IPV6_PMTUDISC_DONT,
  IPV6_PMTUDISC_PROBE,
  IPV6_RECVFRAGSIZE,
  IPV6_RECVHOPLIMIT,
  IPV6_RECVORIGDSTADDR,
  IPV6_RECVTCLASS,
  IPV6_V6ONLY,
  SO_PRIORITY,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_DGRAM,
  SOCK_RAW,
  SOL_IP,
  SOL_IPV6,
  SOL_SOCKET,
  SOL_UDP,
  UDP_GRO,
} from "../../../ffi/consts.ts";
import { refusePackets } from "../../../ffi/sockets/filter.ts";
import { portOf } from "../../../ffi/sockets/sockaddr.ts";
import { bindSocket, closeFd, openNonBlocking, openSocket } from "../../../ffi/sockets/socket.ts";
import { setInt } from "../../../ffi/sockets/sockopt.ts";
import { enlargeReceiveBuffer, enlargeSendBuffer } from "../../netlink/served/services.ts";
import { keepErrors, type ListenerOptions, makeTransparent, sign, type SocketSigns } from "./transparent.ts";

/**
 * Bytes that may wait in a UDP listener's queue, of all clients. The kernel counts twice to four times the
 * data.
 */
const UDP_LISTENER_BUFFER = 4 << 20;
/** Bytes that may be under way to clients. */
const UDP_REPLY_BUFFER = 4 << 20;
/** For a client's socket: a tenth of a second of a fast download. */
const UDP_STREAM_BUFFER = 1 << 20;
/** For the socket of a client that receives a lot. */
const UDP_BULK_BUFFER = 4 << 20;

/**
 * A transparent UDP listener: each datagram comes with its original destination and its TOS, and with its hop
 * limit if it is of IPv6. The descriptor or -errno.
 */
export function openUdpListener(options: ListenerOptions): number {
  const family = options.address[0];
  const ipv6 = family === AF_INET6;
  const fd = openNonBlocking(family, SOCK_DGRAM);
  if (fd < 0) return fd;
  let returned = makeTransparent(fd, family);
  if (returned >= 0 && options.shared) returned = setInt(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (returned >= 0 && ipv6) returned = setInt(fd, SOL_IPV6, IPV6_V6ONLY, 1);
  if (returned >= 0) {
    returned = ipv6
      ? setInt(fd, SOL_IPV6, IPV6_RECVORIGDSTADDR, 1)
      : setInt(fd, SOL_IP, IP_RECVORIGDSTADDR, 1);
  }
  if (returned >= 0) {
    receiveTos(fd, ipv6);
    if (ipv6) {
      setInt(fd, SOL_IPV6, IPV6_RECVFRAGSIZE, 1);
      setInt(fd, SOL_IPV6, IPV6_RECVHOPLIMIT, 1);
    } else setInt(fd, SOL_IP, IP_RECVFRAGSIZE, 1);
    // A sender on this machine, or a network card, may hand over many datagrams as one.
    setInt(fd, SOL_UDP, UDP_GRO, 1);
    enlargeReceiveBuffer(fd, UDP_LISTENER_BUFFER);
    returned = bindSocket(fd, options.address);
  }
  if (returned >= 0) return fd;
  closeFd(fd);
  return returned;
}

/** Purpose of an upstream socket. */
export interface UpstreamOptions {
  /** Tells TOS or traffic class of the datagrams that it receives. */
  readonly tos: boolean;
  /** Keeps a queue of ICMP errors. */
  readonly errors: boolean;
  /** SO_MARK, 0 for none. */
  readonly mark: number;
  /** SO_PRIORITY. Default: the kernel's. */
  readonly priority?: number;
  /**
   * Lets it receive more than single answers: a longer queue. The default holds less than a hundred
   * datagrams.
   */
  readonly stream: boolean;
  /** Never shares its address and port with another socket: both may have this machine's. Default: no. */
  readonly exclusive?: boolean;
  /** Sends with "don't fragment". Default: no. */
  readonly unfragmented?: boolean;
  /** Makes it ready before it has an address; 0 or -errno. Default: nothing. */
  readonly prepare?: (fd: number) => number;
}

/**
 * A UDP socket that sends from `source`, which need not be an address of this machine, and receives what is
 * sent to it, from anybody; from wherever the kernel likes if `source` is null. The descriptor or -errno.
 */
export function openUdpUpstream(
  family: number,
  source: Uint8Array<ArrayBuffer> | null,
  options: UpstreamOptions,
): number {
  const ipv6 = family === AF_INET6;
  const fd = openNonBlocking(family, SOCK_DGRAM);
  if (fd < 0) return fd;
  if (ipv6) setInt(fd, SOL_IPV6, IPV6_V6ONLY, 1);
  forbidFragments(fd, family, options.unfragmented ?? false);
  if (options.tos) receiveTos(fd, ipv6);
  const signed = sign(fd, options);
  if (signed < 0) return closeAfter(fd, signed);
  if (options.stream) enlargeReceiveBuffer(fd, UDP_STREAM_BUFFER);
  if (options.errors) keepErrors(fd, family, true);
  const prepared = options.prepare?.(fd) ?? 0;
  if (prepared < 0) return closeAfter(fd, prepared);
  if (source === null) return fd;
  let returned = makeTransparent(fd, family);
  if (returned >= 0) returned = bindSocket(fd, source);
  if (returned === -EADDRINUSE && options.exclusive !== true) {
    // A daemon of this router may hold the port on all addresses; if it has this option too, ours is the more
    // exact.
    setInt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    returned = bindSocket(fd, source);
  } else if (returned >= 0 && options.exclusive === true && isPrivileged(portOf(source))) {
    // The other way round: a daemon that starts on all addresses with this option is not kept from its port.
    // For those without it, as all of ours are when they are bound, this goes on to be the only socket.
    setInt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  }
  if (returned >= 0) return fd;
  closeFd(fd);
  return returned;
}

/**
 * Makes datagrams of a socket leave with "don't fragment", whatever is known of the path; those that are
 * larger than the interface's MTU are refused (EMSGSIZE). Else they leave in fragments if the path wants it.
 */
export function forbidFragments(fd: number, family: number, forbidden: boolean): void {
  if (family === AF_INET6) {
    setInt(fd, SOL_IPV6, IPV6_MTU_DISCOVER, forbidden ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_DONT);
  } else setInt(fd, SOL_IP, IP_MTU_DISCOVER, forbidden ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT);
}

/** Lets another socket of the same client have the address and port of this one. 0 or -errno. */
export function shareAddress(fd: number): number {
  return setInt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
}

/** Prepares a client's UDP socket for bulk: a larger queue, and trains of datagrams taken as one. */
export function expectBulk(fd: number): void {
  enlargeReceiveBuffer(fd, UDP_BULK_BUFFER);
  setInt(fd, SOL_UDP, UDP_GRO, 1);
}

/**
 * Sets the TOS of all IPv4 datagrams of a socket. It cannot be told with each of them where the socket has a
 * priority: to the kernel that would name another one.
 */
export function setTosAndPriority(fd: number, tos: number, priority: number): void {
  setInt(fd, SOL_IP, IP_TOS, tos);
  setInt(fd, SOL_SOCKET, SO_PRIORITY, priority);
}

/**
 * The raw socket through which a worker answers all clients from the addresses of all servers: it binds none
 * of them, so it neither needs a port that a daemon of this router holds nor takes that one's packets. UDP
 * headers are the caller's; of IPv6 the kernel fills in the checksum. `loopback`: where it is bound to, for
 * reasons told below. The descriptor or -errno.
 */
export function openReplySender(loopback: Uint8Array<ArrayBuffer>, signs: SocketSigns): number {
  const family = loopback[0];
  const ipv6 = family === AF_INET6;
  const fd = openSocket(family, SOCK_RAW, { protocol: IPPROTO_UDP });
  if (fd < 0) return fd;
  // It would be given a copy of every UDP packet that arrives here. Bound to loopback, of none from
  // elsewhere; the filter drops the rest.
  let returned = refusePackets(fd);
  if (returned >= 0) returned = makeTransparent(fd, family);
  if (returned >= 0) returned = sign(fd, signs);
  // where it is in the UDP header
  if (returned >= 0 && ipv6) returned = setInt(fd, SOL_IPV6, IPV6_CHECKSUM, 6);
  if (returned >= 0) returned = bindSocket(fd, loopback);
  if (returned >= 0) {
    if (ipv6) setInt(fd, SOL_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
    else setInt(fd, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
    enlargeSendBuffer(fd, UDP_REPLY_BUFFER);
    return fd;
  }
  closeFd(fd);
  return returned;
}

/**
 * The raw socket through which a worker sends ICMP or ICMPv6 errors to clients, from an address of this
 * machine; it receives nothing. `family`: AF_INET or AF_INET6. The descriptor or -errno.
 */
export function openErrorSender(family: number, signs: SocketSigns): number {
  const protocol = family === AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
  const fd = openSocket(family, SOCK_RAW, { protocol });
  if (fd < 0) return fd;
  let returned = refusePackets(fd);
  if (returned >= 0) returned = sign(fd, signs);
  if (returned >= 0) return fd;
  closeFd(fd);
  return returned;
}

/** Tells whether a port is one of daemons: nobody else may bind it. */
function isPrivileged(port: number): boolean {
  return port > 0 && port < 1024;
}

function closeAfter(fd: number, returned: number): number {
  closeFd(fd);
  return returned;
}

function receiveTos(fd: number, ipv6: boolean): void {
  if (ipv6) setInt(fd, SOL_IPV6, IPV6_RECVTCLASS, 1);
  else setInt(fd, SOL_IP, IP_RECVTOS, 1);
}
