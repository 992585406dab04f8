/**
 * Sockets of AF_UNIX that keep messages apart (SOCK_SEQPACKET) and carry descriptors to another process.
 * Control plane only.
 * @module
 */
import {
  AF_UNIX,
  EINVAL,
  SO_PEERCRED,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  SOCK_CLOEXEC,
  SOCK_SEQPACKET,
  SOL_SOCKET,
} from "../consts.ts";
import { result } from "../errno.ts";
import { SOCKADDR_SIZE } from "../layout.ts";
import { libc } from "../libc.ts";
import { Parcel } from "./parcel.ts";
import { closeFd } from "./socket.ts";
import { getBytes, setTimeoutOption } from "./sockopt.ts";
import { unixAddress } from "./unix.ts";

/** Descriptors of one message: the kernel's limit (SCM_MAX_FD) is 253. */
export const MOST_DESCRIPTORS = 250;
/** Bytes of one message. */
export const MOST_BYTES = 65_536;

/** Listens at a path, for one who connects. The descriptor, which blocks, or -errno. */
export function listenSequence(path: string): number {
  return openAt(path, (fd, address) => {
    const bound = result(libc.bind(fd, address, address.length));
    return bound < 0 ? bound : result(libc.listen(fd, 1));
  });
}

/** Connects to a path. The descriptor, which blocks, or -errno. */
export function connectSequence(path: string): number {
  return openAt(path, (fd, address) => result(libc.connect(fd, address, address.length)));
}

/** Takes a connection. The descriptor, which blocks as long as {@linkcode limitWaits} says, or -errno. */
export function acceptSequence(fd: number): number {
  return result(
    libc.accept4(fd, new Uint8Array(SOCKADDR_SIZE), new Uint32Array([SOCKADDR_SIZE]), SOCK_CLOEXEC),
  );
}

/** Limits the time of each call that blocks, in milliseconds. */
export function limitWaits(fd: number, milliseconds: number): void {
  for (const name of [SO_RCVTIMEO, SO_SNDTIMEO]) setTimeoutOption(fd, name, milliseconds);
}

/** The process and the user at the other end, as they were when it connected; or -errno. */
export function peerOf(fd: number): { readonly pid: number; readonly uid: number } | number {
  const credentials = new Int32Array(3); // struct ucred { pid, uid, gid }
  const returned = getBytes(fd, SOL_SOCKET, SO_PEERCRED, new Uint8Array(credentials.buffer));
  return returned < 0 ? returned : { pid: credentials[0], uid: credentials[1] >>> 0 };
}

/** A message that was received. */
export interface SequenceMessage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly fds: readonly number[];
}

/** Memory of messages, one at a time. */
export class SequenceMemory {
  readonly #parcel = new Parcel(MOST_BYTES / 4, MOST_DESCRIPTORS);

  /** Sends a message: at least a byte. 0 or -errno. */
  send(fd: number, bytes: Uint8Array, fds: readonly number[]): number {
    return this.#parcel.sendAll(fd, bytes, fds);
  }

  /** Receives a message; none: the other end has gone. Or -errno. */
  receive(fd: number): SequenceMessage | null | number {
    const { bytes } = this.#parcel;
    const received = this.#parcel.receive(fd);
    if (received < 0) return received;
    if (received === 0) return null;
    return { bytes: bytes.slice(0, received), fds: this.#parcel.allReceived };
  }
}

function openAt(path: string, prepare: (fd: number, address: Uint8Array<ArrayBuffer>) => number): number {
  const address = unixAddress(path);
  if (address === undefined) return -EINVAL;
  const fd = result(libc.socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (fd < 0) return fd;
  const returned = prepare(fd, address);
  if (returned >= 0) return fd;
  closeFd(fd);
  return returned;
}
