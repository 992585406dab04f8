/**
 * Sockets of AF_UNIX that keep messages apart (SOCK_SEQPACKET) and carry descriptors to another process.
 * Control plane only.
 * @module
 */
import {
  AF_UNIX,
  EINVAL,
  MSG_CMSG_CLOEXEC,
  MSG_NOSIGNAL,
  SCM_RIGHTS,
  SO_PEERCRED,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  SOCK_CLOEXEC,
  SOCK_SEQPACKET,
  SOL_SOCKET,
} from "../consts.ts";
import { result } from "../errno.ts";
import {
  CMSGHDR_SIZE,
  CMSGHDR_WORD,
  IOVEC_SIZE,
  MMSGHDR_SIZE,
  MMSGHDR_WORD,
  SOCKADDR_SIZE,
} from "../layout.ts";
import { libc } from "../libc.ts";
import { PinnedMemory } from "../memory.ts";
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

const IOVEC = MMSGHDR_SIZE;
const CONTROL = IOVEC + IOVEC_SIZE;
const CONTROL_SIZE = CMSGHDR_SIZE + Math.ceil(MOST_DESCRIPTORS / 2) * 8;
const DATA = CONTROL + CONTROL_SIZE;

/** Memory of messages, one at a time. */
export class SequenceMemory {
  readonly #memory = new PinnedMemory(DATA + MOST_BYTES);

  constructor() {
    this.#point(MMSGHDR_WORD.iovecs, IOVEC);
    this.#memory.words[MMSGHDR_WORD.iovecCount] = 1;
    this.#point(IOVEC >> 2, DATA);
  }

  /** Sends a message: at least a byte. 0 or -errno. */
  send(fd: number, bytes: Uint8Array, fds: readonly number[]): number {
    const { words } = this.#memory;
    const control = CONTROL >> 2;
    this.#memory.bytes.set(bytes, DATA);
    words[(IOVEC >> 2) + 2] = bytes.length;
    this.#point(MMSGHDR_WORD.control, CONTROL);
    words[control + CMSGHDR_WORD.length] = CMSGHDR_SIZE + fds.length * 4;
    words[control + CMSGHDR_WORD.level] = SOL_SOCKET;
    words[control + CMSGHDR_WORD.type] = SCM_RIGHTS;
    words.set(fds, control + (CMSGHDR_SIZE >> 2));
    words[MMSGHDR_WORD.controlLength] = fds.length === 0 ? 0 : CMSGHDR_SIZE + Math.ceil(fds.length / 2) * 8;
    return Math.min(0, result(libc.sendmmsg(fd, this.#memory.address(0), 1, MSG_NOSIGNAL)));
  }

  /** Receives a message; none: the other end has gone. Or -errno. */
  receive(fd: number): SequenceMessage | null | number {
    const { words, bytes } = this.#memory;
    const control = CONTROL >> 2;
    words[(IOVEC >> 2) + 2] = MOST_BYTES;
    this.#point(MMSGHDR_WORD.control, CONTROL);
    words[MMSGHDR_WORD.controlLength] = CONTROL_SIZE;
    words[MMSGHDR_WORD.length] = 0;
    const received = result(libc.recvmmsg(fd, this.#memory.address(0), 1, MSG_CMSG_CLOEXEC, null));
    if (received < 0) return received;
    const length = words[MMSGHDR_WORD.length];
    if (received === 0 || length === 0) return null;
    const brings = words[MMSGHDR_WORD.controlLength] >= CMSGHDR_SIZE + 4 &&
      words[control + CMSGHDR_WORD.level] === SOL_SOCKET && words[control + CMSGHDR_WORD.type] === SCM_RIGHTS;
    const count = brings ? (words[control + CMSGHDR_WORD.length] - CMSGHDR_SIZE) >> 2 : 0;
    const first = control + (CMSGHDR_SIZE >> 2);
    return { bytes: bytes.slice(DATA, DATA + length), fds: [...words.subarray(first, first + count)] };
  }

  #point(word: number, to: number): void {
    this.#memory.words[word] = (this.#memory.low + to) | 0;
    this.#memory.words[word + 1] = this.#memory.high;
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
