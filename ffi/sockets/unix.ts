/**
 * Sockets of AF_UNIX: pairs, and datagrams to a path of the file system or to an abstract name.
 * @module
 */
import {
  AF_UNIX,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_SEQPACKET,
} from "../consts.ts";
import { result } from "../errno.ts";
import { SOCKADDR_UN_PATH, SOCKADDR_UN_PATH_SIZE } from "../layout.ts";
import { libc } from "../libc.ts";

/**
 * struct sockaddr_un, exactly as long as the kernel must be told: `@name` is abstract, its first byte is 0
 * and none ends it. Undefined if the name is empty or too long.
 */
export function unixAddress(name: string): Uint8Array<ArrayBuffer> | undefined {
  const path = new TextEncoder().encode(name);
  const abstract = name.startsWith("@");
  const length = path.length + (abstract ? 0 : 1);
  if (path.length === 0 || length > SOCKADDR_UN_PATH_SIZE || path.includes(0)) return undefined;
  const address = new Uint8Array(SOCKADDR_UN_PATH + length);
  new Uint16Array(address.buffer, 0, 1)[0] = AF_UNIX;
  address.set(path, SOCKADDR_UN_PATH);
  if (abstract) address[SOCKADDR_UN_PATH] = 0;
  return address;
}

/** Two sockets that are each other's peer, and keep messages apart; close-on-exec. 0 or -errno. */
export function openPair(ends: Int32Array<ArrayBuffer>): number {
  return result(libc.socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
}

/** A datagram socket, non-blocking, close-on-exec. The descriptor or -errno. */
export function openUnixDatagram(): number {
  return result(libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

/** sendto(2), never blocking. Bytes taken, or -errno (-EAGAIN: the receiver's queue is full). */
export function sendUnixDatagram(
  fd: number,
  datagram: Uint8Array<ArrayBuffer>,
  address: Uint8Array<ArrayBuffer>,
): number {
  const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
  return result(libc.sendto(fd, datagram, datagram.length, flags, address, address.length));
}
