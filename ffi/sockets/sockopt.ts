/**
 * Socket options, typed. All return 0 (or the value) or -errno.
 * @module
 */
import {
  SIOCOUTQ,
  SIOCOUTQNSD,
  SO_BINDTODEVICE,
  SO_ERROR,
  SO_LINGER,
  SOL_SOCKET,
  SOL_TCP,
  TCP_INFO,
  TCP_REPAIR,
} from "../consts.ts";
import { result } from "../errno.ts";
import { LINGER_SIZE, TIMEVAL_SIZE } from "../layout.ts";
import { libc } from "../libc.ts";

const value = new Int32Array(1);
const valueLength = new Uint32Array(1);
const lingerZero = new Int32Array([1, 0]); // struct linger { l_onoff, l_linger }
const tcpState = new Uint8Array(1); // struct tcp_info begins with it
/** net/tcp_states.h */
const TCP_SYN_SENT = 2;
const timeval = new BigInt64Array(TIMEVAL_SIZE / 8); // struct timeval { tv_sec, tv_usec }

/** setsockopt(2) with an int. 0 or -errno. */
export function setInt(fd: number, level: number, name: number, int: number): number {
  value[0] = int;
  return result(libc.setsockopt(fd, level, name, value, 4));
}

/** getsockopt(2) of an int: its value, or -errno. */
export function getInt(fd: number, level: number, name: number): number {
  valueLength[0] = 4;
  const returned = result(libc.getsockopt(fd, level, name, value, valueLength));
  return returned < 0 ? returned : value[0];
}

/**
 * getsockopt(2) into a buffer, whose bytes are the question too where an option has one. The length, or
 * -errno.
 */
export function getBytes(fd: number, level: number, name: number, buffer: Uint8Array<ArrayBuffer>): number {
  valueLength[0] = buffer.length;
  const returned = result(libc.getsockopt(fd, level, name, buffer, valueLength));
  return returned < 0 ? returned : valueLength[0];
}

/** SO_ERROR, which reading clears: the positive errno of what happened to the socket, 0 for nothing. */
export function takeSocketError(fd: number): number {
  const error = getInt(fd, SOL_SOCKET, SO_ERROR);
  return error < 0 ? -error : error;
}

/** Tells whether connect(2) has begun and is not over; false for -1. */
export function isConnecting(fd: number): boolean {
  return getBytes(fd, SOL_TCP, TCP_INFO, tcpState) === 1 && tcpState[0] === TCP_SYN_SENT;
}

/** SO_BINDTODEVICE: by the interface's name. 0 or -errno; ENODEV: there is none. */
export function bindToDevice(fd: number, name: Uint8Array<ArrayBuffer>): number {
  return result(libc.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, name.length));
}

/** SO_LINGER {1, 0}: the next close(2) sends a RST and drops what is queued. 0 or -errno. */
export function resetOnClose(fd: number): number {
  return result(libc.setsockopt(fd, SOL_SOCKET, SO_LINGER, lingerZero, LINGER_SIZE));
}

/** TCP_REPAIR: the next close(2) tells the peer nothing. 0 or -errno; EPERM without CAP_NET_ADMIN. */
export function silenceOnClose(fd: number): number {
  return setInt(fd, SOL_TCP, TCP_REPAIR, 1);
}

/** SO_RCVTIMEO or SO_SNDTIMEO, in milliseconds. Control plane only (it makes BigInts). 0 or -errno. */
export function setTimeoutOption(fd: number, name: number, milliseconds: number): number {
  timeval[0] = BigInt(Math.floor(milliseconds / 1000));
  timeval[1] = BigInt((milliseconds % 1000) * 1000);
  return result(libc.setsockopt(fd, SOL_SOCKET, name, timeval, TIMEVAL_SIZE));
}

/**
 * Sets a buffer's size, by `force` beyond net.core.*mem_max where CAP_NET_ADMIN permits it, else up to that.
 * Tells whether it has the whole size now.
 */
export function setBufferSize(fd: number, buffer: { name: number; force: number; bytes: number }): boolean {
  if (setInt(fd, SOL_SOCKET, buffer.force, buffer.bytes) >= 0) return true;
  setInt(fd, SOL_SOCKET, buffer.name, buffer.bytes);
  // The kernel counts twice what was asked for.
  return getInt(fd, SOL_SOCKET, buffer.name) >= 2 * buffer.bytes;
}

/** SIOCOUTQ: bytes that the peer has not acknowledged yet, or -errno. */
export function unacknowledgedBytes(fd: number): number {
  const returned = result(libc.ioctl(fd, SIOCOUTQ, value));
  return returned < 0 ? returned : value[0];
}

/** SIOCOUTQNSD: bytes that were not sent yet, or -errno. */
export function unsentBytes(fd: number): number {
  const returned = result(libc.ioctl(fd, SIOCOUTQNSD, value));
  return returned < 0 ? returned : value[0];
}
