/**
 * The only maker of transparent sockets. Returns descriptors or -errno.
 * @module
 */
import {
  AF_INET6,
  EADDRINUSE,
  IP_BIND_ADDRESS_NO_PORT,
  IP_MTU_DISCOVER,
  IP_PMTUDISC_DONT,
  IP_RECVERR,
  IP_RECVORIGDSTADDR,
  IP_RECVTOS,
  IP_TRANSPARENT,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_UDP,
  IPV6_CHECKSUM,
  IPV6_MTU_DISCOVER,
  IPV6_PMTUDISC_DONT,
  IPV6_RECVERR,
  IPV6_RECVORIGDSTADDR,
  IPV6_RECVTCLASS,
  IPV6_TRANSPARENT,
  IPV6_V6ONLY,
  SO_KEEPALIVE,
  SO_MARK,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  SOL_IP,
  SOL_IPV6,
  SOL_SOCKET,
  SOL_TCP,
  SOL_UDP,
  TCP_DEFER_ACCEPT,
  TCP_FASTOPEN,
  TCP_FASTOPEN_CONNECT,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
  UDP_GRO,
} from "../../ffi/consts.ts";
import { refusePackets } from "../../ffi/filter.ts";
import { bindSocket, closeFd, listenSocket, openNonBlocking, openSocket } from "../../ffi/socket.ts";
import { clearPort } from "../../ffi/sockaddr.ts";
import { setInt } from "../../ffi/sockopt.ts";

/** A dead peer is noticed after 60 + 4 × 15 seconds; the kernel's default is more than two hours. */
const KEEPALIVE_IDLE_SECONDS = 60;
const KEEPALIVE_INTERVAL_SECONDS = 15;
const KEEPALIVE_PROBES = 4;

/** The kernel cuts it to net.core.somaxconn. */
const BACKLOG = 4096;

/** Connections whose SYN brought data and whose handshake is not complete yet. */
const FAST_OPEN_QUEUE = 32;
/** How long a connection waits for its first data until it is accepted without. */
const DEFER_ACCEPT_SECONDS = 32;

/** Where and how a listener is opened. */
export interface ListenerOptions {
  /** The address in C's layout; its first byte tells the family. */
  readonly address: Uint8Array<ArrayBuffer>;
  /** SO_MARK of the listener, which accepted sockets inherit; 0 for none. */
  readonly mark: number;
  /** Whether other listeners may share the port (SO_REUSEPORT). */
  readonly shared: boolean;
  /** Whether it takes what the kernel steers to it, and may have an address that is not this machine's; default yes. */
  readonly transparent?: boolean;
  /** TCP_FASTOPEN, and TCP_DEFER_ACCEPT: a connection is accepted when its first data is there. */
  readonly fastOpen?: boolean;
}

/**
 * Makes a socket transparent: it may have an address that is not this machine's. 0 or -errno; EPERM without
 * CAP_NET_RAW or CAP_NET_ADMIN.
 */
export function makeTransparent(fd: number, family: number): number {
  return family === AF_INET6
    ? setInt(fd, SOL_IPV6, IPV6_TRANSPARENT, 1)
    : setInt(fd, SOL_IP, IP_TRANSPARENT, 1);
}

/** Whether this process may make transparent sockets: 0, or the -errno of trying it. */
export function tryTransparent(family: number): number {
  const fd = openNonBlocking(family, SOCK_STREAM);
  if (fd < 0) return fd;
  const returned = makeTransparent(fd, family);
  closeFd(fd);
  return returned;
}

/** Makes the kernel ask a silent peer whether it is still there. Accepted sockets inherit it from their listener. */
export function keepAlive(fd: number): void {
  // None of these can fail on a TCP socket in a way that matters.
  setInt(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  setInt(fd, SOL_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_SECONDS);
  setInt(fd, SOL_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_SECONDS);
  setInt(fd, SOL_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
}

/** A TCP listener; what it accepts has NODELAY and keepalive. The descriptor or -errno. */
export function openListener(options: ListenerOptions): number {
  const family = options.address[0];
  const fd = openNonBlocking(family, SOCK_STREAM);
  if (fd < 0) return fd;
  let returned = options.transparent === false ? 0 : makeTransparent(fd, family);
  if (returned >= 0) returned = setInt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (returned >= 0 && options.shared) returned = setInt(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (returned >= 0 && family === AF_INET6) returned = setInt(fd, SOL_IPV6, IPV6_V6ONLY, 1);
  if (returned >= 0 && options.mark !== 0) returned = setInt(fd, SOL_SOCKET, SO_MARK, options.mark);
  if (returned >= 0) {
    setInt(fd, SOL_TCP, TCP_NODELAY, 1);
    keepAlive(fd);
    returned = bindSocket(fd, options.address);
  }
  if (returned >= 0 && options.fastOpen) {
    setInt(fd, SOL_TCP, TCP_FASTOPEN, FAST_OPEN_QUEUE);
    setInt(fd, SOL_TCP, TCP_DEFER_ACCEPT, DEFER_ACCEPT_SECONDS);
  }
  if (returned >= 0) returned = listenSocket(fd, BACKLOG);
  if (returned >= 0) return fd;
  closeFd(fd);
  return returned;
}

/**
 * A TCP socket that will dial from `source`, which need not be an address of this machine, or from wherever the kernel
 * likes if `source` is null. A source port of 0 is chosen at connect, per destination. It has NODELAY, and keepalive only once
 * {@linkcode keepAlive} is called. The descriptor or -errno.
 */
export function openDialler(family: number, source: Uint8Array<ArrayBuffer> | null): number {
  const fd = openNonBlocking(family, SOCK_STREAM);
  if (fd < 0) return fd;
  let returned = 0;
  if (source !== null) {
    returned = makeTransparent(fd, family);
    // The client may use one port for many servers: without it the second bind fails.
    if (returned >= 0) returned = setInt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (returned >= 0 && source[2] === 0 && source[3] === 0) {
      setInt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    }
    if (returned >= 0) returned = bindSocket(fd, source);
  }
  if (returned >= 0) {
    setInt(fd, SOL_TCP, TCP_NODELAY, 1);
    return fd;
  }
  closeFd(fd);
  return returned;
}

/** Lets the first data that is sent go with the SYN, where the other side has given a cookie before. Before connect(2). */
export function fastOpen(fd: number): void {
  setInt(fd, SOL_TCP, TCP_FASTOPEN_CONNECT, 1); // without it, the kernel has none: an ordinary SYN is as good
}

/**
 * A socket of either type bound to `address`, for a tool: transparent or not, TCP or UDP (SOCK_STREAM, SOCK_DGRAM). The descriptor,
 * non-blocking, or -errno.
 */
export function openBound(
  options: {
    readonly type: number;
    readonly address: Uint8Array<ArrayBuffer>;
    readonly transparent: boolean;
    /** Another socket of ours has the port already, and has SO_REUSEADDR too. */
    readonly beside?: boolean;
  },
): number {
  const family = options.address[0];
  const fd = openNonBlocking(family, options.type);
  if (fd < 0) return fd;
  let returned = options.transparent ? makeTransparent(fd, family) : 0;
  // A port of TCP that waits in TIME_WAIT may be used again; one of UDP that somebody holds may not.
  if (returned >= 0 && (options.type === SOCK_STREAM || options.beside)) {
    returned = setInt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  }
  if (returned >= 0 && family === AF_INET6) returned = setInt(fd, SOL_IPV6, IPV6_V6ONLY, 1);
  if (returned >= 0) returned = bindSocket(fd, options.address);
  if (returned >= 0) return fd;
  closeFd(fd);
  return returned;
}

/** What waits in a UDP listener's queue, of all clients, in bytes. The kernel counts twice to four times the data. */
const UDP_LISTENER_BUFFER = 4 << 20;
/** What may be under way to clients. */
const UDP_REPLY_BUFFER = 4 << 20;
/** For a client's socket: a tenth of a second of a fast download. */
const UDP_STREAM_BUFFER = 1 << 20;
/** For the socket of a client that receives a lot. */
const UDP_BULK_BUFFER = 4 << 20;

/**
 * A transparent UDP listener: each datagram comes with its original destination and its TOS. The descriptor or -errno.
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
    // A sender on this machine, or a network card, may hand over many datagrams as one.
    setInt(fd, SOL_UDP, UDP_GRO, 1);
    enlarge(fd, { name: SO_RCVBUF, force: SO_RCVBUFFORCE, bytes: UDP_LISTENER_BUFFER });
    returned = bindSocket(fd, options.address);
  }
  if (returned >= 0) return fd;
  closeFd(fd);
  return returned;
}

/** What an upstream socket is for. */
export interface UpstreamOptions {
  /** It tells TOS or traffic class of what it receives. */
  readonly tos: boolean;
  /** It keeps a queue of ICMP errors. */
  readonly errors: boolean;
  /** It may receive more than single answers: a longer queue. The default holds less than a hundred datagrams. */
  readonly stream: boolean;
}

/**
 * A UDP socket that sends from `source`, which need not be an address of this machine, and receives what is sent to it, from
 * anybody; from wherever the kernel likes if `source` is null. Datagrams go out without "don't fragment", in pieces if the path
 * wants it. The descriptor or -errno.
 */
export function openUdpUpstream(
  family: number,
  source: Uint8Array<ArrayBuffer> | null,
  options: UpstreamOptions,
): number {
  const ipv6 = family === AF_INET6;
  const fd = openNonBlocking(family, SOCK_DGRAM);
  if (fd < 0) return fd;
  if (ipv6) setInt(fd, SOL_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
  else setInt(fd, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
  if (options.tos) receiveTos(fd, ipv6);
  if (options.stream) enlarge(fd, { name: SO_RCVBUF, force: SO_RCVBUFFORCE, bytes: UDP_STREAM_BUFFER });
  if (options.errors) {
    if (ipv6) setInt(fd, SOL_IPV6, IPV6_RECVERR, 1);
    else setInt(fd, SOL_IP, IP_RECVERR, 1);
  }
  if (source === null) return fd;
  let returned = makeTransparent(fd, family);
  if (returned >= 0) returned = bindSocket(fd, source);
  if (returned === -EADDRINUSE) {
    // A daemon of this router may hold the port on all addresses; if it has this option too, ours is the more exact.
    setInt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    returned = bindSocket(fd, source);
  }
  if (returned >= 0) return fd;
  closeFd(fd);
  return returned;
}

/** Prepares a client's UDP socket for bulk: a larger queue, and trains of datagrams taken as one. */
export function expectBulk(fd: number): void {
  enlarge(fd, { name: SO_RCVBUF, force: SO_RCVBUFFORCE, bytes: UDP_BULK_BUFFER });
  setInt(fd, SOL_UDP, UDP_GRO, 1);
}

/**
 * The raw socket through which a worker answers all clients from the addresses of all servers: it binds none of them, so it neither
 * needs a port that a daemon of this router holds nor takes that one's packets. UDP headers are the caller's; of IPv6 the kernel
 * fills in the checksum. `loopback`: where it is bound to, for reasons told below. The descriptor or -errno.
 */
export function openReplySender(loopback: Uint8Array<ArrayBuffer>, mark: number): number {
  const family = loopback[0];
  const ipv6 = family === AF_INET6;
  const fd = openSocket(family, SOCK_RAW, { protocol: IPPROTO_UDP });
  if (fd < 0) return fd;
  // It would be given a copy of every UDP packet that arrives here. Bound to loopback, of none from elsewhere; the filter drops the rest.
  let returned = refusePackets(fd);
  if (returned >= 0) returned = makeTransparent(fd, family);
  if (returned >= 0) returned = setInt(fd, SOL_SOCKET, SO_MARK, mark);
  if (returned >= 0 && ipv6) returned = setInt(fd, SOL_IPV6, IPV6_CHECKSUM, 6); // where it is in the UDP header
  if (returned >= 0) returned = bindSocket(fd, loopback);
  if (returned >= 0) {
    if (ipv6) setInt(fd, SOL_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
    else setInt(fd, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
    enlarge(fd, { name: SO_SNDBUF, force: SO_SNDBUFFORCE, bytes: UDP_REPLY_BUFFER });
    return fd;
  }
  closeFd(fd);
  return returned;
}

/**
 * The raw socket through which a worker sends ICMP or ICMPv6 errors to clients, from an address of this machine; it receives nothing.
 * `family`: AF_INET or AF_INET6. The descriptor or -errno.
 */
export function openErrorSender(family: number, mark: number): number {
  const protocol = family === AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
  const fd = openSocket(family, SOCK_RAW, { protocol });
  if (fd < 0) return fd;
  let returned = refusePackets(fd);
  if (returned >= 0) returned = setInt(fd, SOL_SOCKET, SO_MARK, mark);
  if (returned >= 0) return fd;
  closeFd(fd);
  return returned;
}

function receiveTos(fd: number, ipv6: boolean): void {
  if (ipv6) setInt(fd, SOL_IPV6, IPV6_RECVTCLASS, 1);
  else setInt(fd, SOL_IP, IP_RECVTOS, 1);
}

/** Beyond the system's limit where that is permitted (CAP_NET_ADMIN), else up to it. */
function enlarge(fd: number, buffer: { name: number; force: number; bytes: number }): void {
  if (setInt(fd, SOL_SOCKET, buffer.force, buffer.bytes) < 0) {
    setInt(fd, SOL_SOCKET, buffer.name, buffer.bytes);
  }
}

/** Makes the dialling address out of the client's, in place: `client-address` and port 0. */
export function anyPort(source: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  clearPort(source);
  return source;
}
