/**
 * Sockets: thin wrappers that return `n >= 0` or `-errno` and never throw.
 * @module
 */
import { MSG_DONTWAIT, MSG_NOSIGNAL, SOCK_CLOEXEC, SOCK_NONBLOCK } from "../consts.ts";
import { result } from "../errno.ts";
import { SOCKADDR_SIZE } from "../layout.ts";
import { libc } from "../libc.ts";
import { sockaddrLength } from "./sockaddr.ts";

// socklen_t in-out parameter. One per thread: it is written before each call and nothing keeps it.
const addressLength = new Uint32Array(1);

/** socket(2), close-on-exec; blocking only if `blocking` is set. Returns the descriptor or -errno. */
export function openSocket(
  domain: number,
  type: number,
  options: { protocol?: number; blocking?: boolean } = {},
): number {
  const flags = SOCK_CLOEXEC | (options.blocking ? 0 : SOCK_NONBLOCK);
  return result(libc.socket(domain, type | flags, options.protocol ?? 0));
}

/** socket(2) for the hot path: non-blocking, close-on-exec, default protocol. */
export function openNonBlocking(domain: number, type: number): number {
  return result(libc.socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

/** bind(2) to an address in C's layout. 0 or -errno. */
export function bindSocket(
  fd: number,
  address: Uint8Array<ArrayBuffer>,
  length = sockaddrLength(address),
): number {
  return result(libc.bind(fd, address, length));
}

/** listen(2). 0 or -errno. */
export function listenSocket(fd: number, backlog: number): number {
  return result(libc.listen(fd, backlog));
}

/** accept4(2), non-blocking and close-on-exec. Fills `peer` (32 bytes). The descriptor or -errno. */
export function acceptSocket(fd: number, peer: Uint8Array<ArrayBuffer>): number {
  addressLength[0] = SOCKADDR_SIZE;
  return result(libc.accept4(fd, peer, addressLength, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

/** connect(2). 0, or -errno; -EINPROGRESS is the usual answer of a non-blocking socket. */
export function connectSocket(fd: number, address: Uint8Array<ArrayBuffer>): number {
  return result(libc.connect(fd, address, sockaddrLength(address)));
}

/**
 * getsockname(2): the local address, which under TPROXY is the original destination. Fills 32 bytes. 0 or
 * -errno.
 */
export function localAddress(fd: number, address: Uint8Array<ArrayBuffer>): number {
  addressLength[0] = SOCKADDR_SIZE;
  return result(libc.getsockname(fd, address, addressLength));
}

/** getpeername(2). Fills 32 bytes. 0 or -errno. */
export function peerAddress(fd: number, address: Uint8Array<ArrayBuffer>): number {
  addressLength[0] = SOCKADDR_SIZE;
  return result(libc.getpeername(fd, address, addressLength));
}

/** shutdown(2): SHUT_RD, SHUT_WR or SHUT_RDWR. 0 or -errno. */
export function shutdownSocket(fd: number, how: number): number {
  return result(libc.shutdown(fd, how));
}

/** recv(2), never blocking. At most `length` bytes, at most the buffer. Bytes, 0 at the end, or -errno. */
export function receive(fd: number, buffer: Uint8Array<ArrayBuffer>, length: number): number {
  return result(libc.recv(fd, buffer, Math.min(length, buffer.length), MSG_DONTWAIT));
}

/**
 * send(2), never blocking, no SIGPIPE. At most `length` bytes, at most the buffer. Bytes taken, or -errno.
 */
export function send(fd: number, buffer: Uint8Array<ArrayBuffer>, length: number): number {
  return result(libc.send(fd, buffer, Math.min(length, buffer.length), MSG_NOSIGNAL | MSG_DONTWAIT));
}

/** send(2) of the first `length` bytes, no SIGPIPE; blocks if the socket does. Bytes or -errno. */
export function sendWaiting(fd: number, buffer: Uint8Array<ArrayBuffer>, length: number): number {
  return result(libc.send(fd, buffer, Math.min(length, buffer.length), MSG_NOSIGNAL));
}

/** recv(2) with flags of the caller's; blocks if the socket does. Bytes or -errno. */
export function receiveWithFlags(fd: number, buffer: Uint8Array<ArrayBuffer>, flags: number): number {
  return result(libc.recv(fd, buffer, buffer.length, flags));
}

/** send(2) with flags of the caller's; blocks if the socket does. Bytes or -errno. */
export function sendWithFlags(fd: number, buffer: Uint8Array<ArrayBuffer>, flags: number): number {
  return result(libc.send(fd, buffer, buffer.length, flags));
}

/**
 * recvfrom(2), never blocking. Fills `from` (32 bytes). Bytes, at most the buffer (a longer datagram is cut),
 * or -errno.
 */
export function receiveFrom(
  fd: number,
  buffer: Uint8Array<ArrayBuffer>,
  from: Uint8Array<ArrayBuffer>,
): number {
  addressLength[0] = SOCKADDR_SIZE;
  return result(libc.recvfrom(fd, buffer, buffer.length, MSG_DONTWAIT, from, addressLength));
}

/** sendto(2) of the whole buffer, never blocking. Bytes taken, or -errno. */
export function sendTo(fd: number, buffer: Uint8Array<ArrayBuffer>, to: Uint8Array<ArrayBuffer>): number {
  const flags = MSG_NOSIGNAL | MSG_DONTWAIT;
  return result(libc.sendto(fd, buffer, buffer.length, flags, to, sockaddrLength(to)));
}

/** close(2). 0 or -errno. */
export function closeFd(fd: number): number {
  return result(libc.close(fd));
}
