/**
 * The only place that makes sockets transparent, and what TCP needs of them; udp.ts has UDP's.
 * Returns descriptors or -errno.
 * @module
 */
import {
  AF_INET6,
  EADDRNOTAVAIL,
  EPERM,
  IP_BIND_ADDRESS_NO_PORT,
  IP_RECVERR,
  IP_TRANSPARENT,
  IPV6_RECVERR,
  IPV6_TRANSPARENT,
  IPV6_V6ONLY,
  SO_KEEPALIVE,
  SO_MARK,
  SO_PRIORITY,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_STREAM,
  SOL_IP,
  SOL_IPV6,
  SOL_SOCKET,
  SOL_TCP,
  TCP_DEFER_ACCEPT,
  TCP_FASTOPEN,
  TCP_FASTOPEN_CONNECT,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
} from "../../../ffi/consts.ts";
import { portOf } from "../../../ffi/sockets/sockaddr.ts";
import { bindSocket, closeFd, listenSocket, openNonBlocking } from "../../../ffi/sockets/socket.ts";
import { setInt } from "../../../ffi/sockets/sockopt.ts";

/**
 * A silent peer is asked every two hours, so that a phone may sleep. One that has forgotten the connection
 * says so, and the session ends; one that does not answer may be asleep, and has the five days for which
 * conntrack would remember it.
 */
const KEEPALIVE_IDLE_SECONDS = 7200;
const KEEPALIVE_INTERVAL_SECONDS = 7200;
const KEEPALIVE_PROBES = 60;
/** Of a half-closed connection, which is seldom meant to be silent for long: the other end may have gone. */
const HALF_CLOSED_IDLE_SECONDS = 600;

/** The kernel cuts it to net.core.somaxconn. */
const BACKLOG = 4096;

/** Connections whose SYN brought data and whose handshake is not complete yet. */
const FAST_OPEN_QUEUE = 32;
/** The time that a connection waits for its first data until it is accepted without. */
const DEFER_ACCEPT_SECONDS = 32;

/** The address of a listener, and the options of its socket. */
export interface ListenerOptions {
  /** The address in C's layout; its first byte tells the family. */
  readonly address: Uint8Array<ArrayBuffer>;
  /** SO_MARK of the listener, which accepted sockets inherit; 0 for none. */
  readonly mark: number;
  /** SO_PRIORITY, which accepted sockets do not inherit; default 0, as every socket has it. */
  readonly priority?: number;
  /** Set where other listeners may share the port (SO_REUSEPORT). */
  readonly shared: boolean;
  /**
   * Set where it takes what the kernel steers to it, and may have an address of another machine; default yes.
   */
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

/** Signs of a socket by which rules know its packets; 0 for none. */
export interface SocketSigns {
  /** SO_MARK. */
  readonly mark: number;
  /** SO_PRIORITY. */
  readonly priority?: number;
}

/** Gives a socket its signs. 0 or -errno. */
export function sign(fd: number, { mark, priority = 0 }: SocketSigns): number {
  const returned = mark === 0 ? 0 : setInt(fd, SOL_SOCKET, SO_MARK, mark);
  return returned < 0 || priority === 0 ? returned : setInt(fd, SOL_SOCKET, SO_PRIORITY, priority);
}

/** Tries whether this process may make transparent sockets: 0, or the -errno. */
export function tryTransparent(family: number): number {
  const fd = openNonBlocking(family, SOCK_STREAM);
  if (fd < 0) return fd;
  const returned = makeTransparent(fd, family);
  closeFd(fd);
  return returned;
}

/**
 * Makes the kernel ask a silent peer whether it is still there. Accepted sockets inherit it from their
 * listener.
 */
export function keepAlive(fd: number): void {
  // None of these can fail on a TCP socket in a way that matters.
  setInt(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  setInt(fd, SOL_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_SECONDS);
  setInt(fd, SOL_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_SECONDS);
  setInt(fd, SOL_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
}

/** Asks a peer more often that {@linkcode keepAlive} asks already: the connection is half-closed. */
export function askOften(fd: number): void {
  setInt(fd, SOL_TCP, TCP_KEEPIDLE, HALF_CLOSED_IDLE_SECONDS);
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
  if (returned >= 0) returned = sign(fd, options);
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
 * A TCP socket that will dial from `source`, which need not be an address of this machine, or from wherever
 * the kernel likes if `source` is null. A source port of 0 is chosen at connect, per destination. It has
 * NODELAY, and keepalive only once {@linkcode keepAlive} is called. `mark`: SO_MARK, 0 for none. The
 * descriptor or -errno.
 */
export function openOutgoing(family: number, source: Uint8Array<ArrayBuffer> | null, mark = 0): number {
  const fd = openUnbound(family, mark);
  if (fd < 0 || source === null) return fd;
  const returned = bindOutgoing(fd, family, source);
  if (returned >= 0) return fd;
  closeFd(fd);
  return returned;
}

/** The socket of {@linkcode openOutgoing} before it has an address. The descriptor or -errno. */
export function openUnbound(family: number, mark: number): number {
  const fd = openNonBlocking(family, SOCK_STREAM);
  if (fd < 0) return fd;
  let returned = mark === 0 ? 0 : setInt(fd, SOL_SOCKET, SO_MARK, mark);
  // An IPv4 address in an IPv6 one is past all rules: see embedded.ts.
  if (returned >= 0 && family === AF_INET6) returned = setInt(fd, SOL_IPV6, IPV6_V6ONLY, 1);
  if (returned >= 0) {
    setInt(fd, SOL_TCP, TCP_NODELAY, 1);
    return fd;
  }
  closeFd(fd);
  return returned;
}

/** Gives such a socket its address, which need not be one of this machine. 0 or -errno. */
export function bindOutgoing(fd: number, family: number, source: Uint8Array<ArrayBuffer>): number {
  let returned = makeTransparent(fd, family);
  // A client may use one port for many servers: without it the second bind fails.
  if (returned >= 0) returned = setInt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (returned >= 0 && portOf(source) === 0) setInt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  return returned < 0 ? returned : bindSocket(fd, source);
}

/** Makes a socket keep a queue of errors, or not any more. */
export function keepErrors(fd: number, family: number, keep: boolean): void {
  if (family === AF_INET6) setInt(fd, SOL_IPV6, IPV6_RECVERR, keep ? 1 : 0);
  else setInt(fd, SOL_IP, IP_RECVERR, keep ? 1 : 0);
}

/**
 * Lets the first data that is sent go with the SYN, where the other side has given a cookie before. Before
 * connect(2).
 */
export function fastOpen(fd: number): void {
  setInt(fd, SOL_TCP, TCP_FASTOPEN_CONNECT, 1); // without it, the kernel has none: an ordinary SYN is as good
}

/**
 * A socket of either type bound to `address`, for a tool: transparent or not, TCP or UDP (SOCK_STREAM,
 * SOCK_DGRAM). The descriptor, non-blocking, or -errno.
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

/**
 * Opens a socket for an address of another machine: a transparent one, or, where that is not permitted, an
 * ordinary one, which net.ipv4.ip_nonlocal_bind lets have any address. The descriptor or -errno.
 */
export function openForeign(open: (transparent: boolean) => number): number {
  const fd = open(true);
  if (fd !== -EPERM) return fd;
  const ordinary = open(false);
  return ordinary === -EADDRNOTAVAIL ? fd : ordinary;
}
