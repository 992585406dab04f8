/**
 * Messages that carry descriptors, over a socket of AF_UNIX that keeps messages apart.
 * @module
 */
import { MSG_CMSG_CLOEXEC, MSG_NOSIGNAL, SCM_RIGHTS, SOL_SOCKET } from "../consts.ts";
import { result } from "../errno.ts";
import { CMSGHDR_SIZE, CMSGHDR_WORD, IOVEC_SIZE, MMSGHDR_SIZE, MMSGHDR_WORD } from "../layout.ts";
import { libc } from "../libc.ts";
import { PinnedMemory } from "../memory.ts";

// struct mmsghdr, struct iovec, the cmsghdr with the descriptors, and the bytes behind it.
const IOVEC = MMSGHDR_SIZE;
const CONTROL = IOVEC + IOVEC_SIZE;
const HEADER = CONTROL >> 2;
const FIRST = HEADER + (CMSGHDR_SIZE >> 2);

/** The length of a control message with so many descriptors; none: there is none. */
function controlSize(descriptors: number): number {
  return descriptors === 0 ? 0 : CMSGHDR_SIZE + Math.ceil(descriptors / 2) * 8;
}

/** A message of words, and some descriptors: to be filled again for each, without allocation. */
export class Parcel {
  /** Its words, and the same as bytes. */
  readonly words: Int32Array<ArrayBuffer>;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #memory: PinnedMemory;
  readonly #header: bigint;
  readonly #room: number;

  /** `descriptors`: for how many there is room. */
  constructor(words: number, descriptors = 2) {
    this.#room = controlSize(descriptors);
    const data = CONTROL + this.#room;
    const memory = new PinnedMemory(data + words * 4);
    this.#memory = memory;
    this.#header = memory.address(0);
    this.words = memory.words.subarray(data >> 2);
    this.bytes = memory.bytes.subarray(data);
    const point = (word: number, to: number) => {
      memory.words[word] = (memory.low + to) | 0;
      memory.words[word + 1] = memory.high;
    };
    point(MMSGHDR_WORD.iovecs, IOVEC);
    memory.words[MMSGHDR_WORD.iovecCount] = 1;
    point(MMSGHDR_WORD.control, CONTROL);
    point(IOVEC >> 2, data);
  }

  /** Sends the words with descriptors, -1: none. Blocks if the socket does. 0 or -errno. */
  send(socket: number, first: number, second: number): number {
    const { words } = this.#memory;
    words[FIRST] = first;
    words[FIRST + 1] = second;
    return this.#send(socket, this.bytes.length, second >= 0 ? 2 : first >= 0 ? 1 : 0);
  }

  /** Sends bytes, at least one, with all these descriptors. Blocks if the socket does. 0 or -errno. */
  sendAll(socket: number, bytes: Uint8Array, fds: readonly number[]): number {
    this.bytes.set(bytes);
    this.#memory.words.set(fds, FIRST);
    return this.#send(socket, bytes.length, fds.length);
  }

  /** Receives words. Blocks if the socket does. Bytes, 0 at the end, or -errno. */
  receive(socket: number): number {
    const { words } = this.#memory;
    words[(IOVEC >> 2) + 2] = this.bytes.length;
    words[MMSGHDR_WORD.controlLength] = this.#room;
    const received = result(libc.recvmmsg(socket, this.#header, 1, MSG_CMSG_CLOEXEC, null));
    return received <= 0 ? received : words[MMSGHDR_WORD.length];
  }

  /** The first descriptor that has come with the last words; -1: none. */
  get received(): number {
    return this.#count === 0 ? -1 : this.#memory.words[FIRST];
  }

  /** All that have come with them. */
  get allReceived(): number[] {
    return [...this.#memory.words.subarray(FIRST, FIRST + this.#count)];
  }

  get #count(): number {
    const { words } = this.#memory;
    const brings = words[MMSGHDR_WORD.controlLength] >= CMSGHDR_SIZE + 4 &&
      words[HEADER + CMSGHDR_WORD.level] === SOL_SOCKET && words[HEADER + CMSGHDR_WORD.type] === SCM_RIGHTS;
    return brings ? (words[HEADER + CMSGHDR_WORD.length] - CMSGHDR_SIZE) >> 2 : 0;
  }

  #send(socket: number, length: number, descriptors: number): number {
    const { words } = this.#memory;
    words[(IOVEC >> 2) + 2] = length;
    words[MMSGHDR_WORD.controlLength] = controlSize(descriptors);
    words[HEADER + CMSGHDR_WORD.length] = CMSGHDR_SIZE + descriptors * 4;
    words[HEADER + CMSGHDR_WORD.level] = SOL_SOCKET;
    words[HEADER + CMSGHDR_WORD.type] = SCM_RIGHTS;
    return Math.min(0, result(libc.sendmmsg(socket, this.#header, 1, MSG_NOSIGNAL)));
  }
}
