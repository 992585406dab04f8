/**
 * Messages that carry descriptors, over a socket of AF_UNIX that keeps messages apart.
 * @module
 */
import { MSG_CMSG_CLOEXEC, MSG_NOSIGNAL, SCM_RIGHTS, SOL_SOCKET } from "../consts.ts";
import { result } from "../errno.ts";
import { CMSGHDR_SIZE, CMSGHDR_WORD, IOVEC_SIZE, MMSGHDR_SIZE, MMSGHDR_WORD } from "../layout.ts";
import { libc } from "../libc.ts";
import { PinnedMemory } from "../memory.ts";

// struct mmsghdr, struct iovec, the cmsghdr with two descriptors, and the bytes.
const IOVEC = MMSGHDR_SIZE;
const CONTROL = IOVEC + IOVEC_SIZE;
const CONTROL_SIZE = CMSGHDR_SIZE + 8;
const BYTES = CONTROL + CONTROL_SIZE;

/** A message of words, and up to two descriptors: to be filled again for each, without allocation. */
export class Parcel {
  /** Its words. */
  readonly words: Int32Array<ArrayBuffer>;
  readonly #memory: PinnedMemory;
  readonly #header: bigint;
  readonly #size: number;

  constructor(words: number) {
    this.#size = words * 4;
    const memory = new PinnedMemory(BYTES + this.#size);
    this.#memory = memory;
    this.#header = memory.address(0);
    this.words = memory.words.subarray(BYTES >> 2);
    const point = (word: number, to: number) => {
      memory.words[word] = (memory.low + to) | 0;
      memory.words[word + 1] = memory.high;
    };
    point(MMSGHDR_WORD.iovecs, IOVEC);
    memory.words[MMSGHDR_WORD.iovecCount] = 1;
    point(MMSGHDR_WORD.control, CONTROL);
    point(IOVEC >> 2, BYTES);
    memory.words[(IOVEC >> 2) + 2] = this.#size;
  }

  /** Sends the words with descriptors, -1: none. Blocks if the socket does. 0 or -errno. */
  send(socket: number, first: number, second: number): number {
    const { words } = this.#memory;
    const header = CONTROL >> 2;
    const count = second >= 0 ? 2 : first >= 0 ? 1 : 0;
    words[MMSGHDR_WORD.controlLength] = count === 0 ? 0 : CONTROL_SIZE;
    words[header + CMSGHDR_WORD.length] = CMSGHDR_SIZE + count * 4;
    words[header + CMSGHDR_WORD.level] = SOL_SOCKET;
    words[header + CMSGHDR_WORD.type] = SCM_RIGHTS;
    words[header + (CMSGHDR_SIZE >> 2)] = first;
    words[header + (CMSGHDR_SIZE >> 2) + 1] = second;
    const sent = result(libc.sendmmsg(socket, this.#header, 1, MSG_NOSIGNAL));
    return sent < 0 ? sent : 0;
  }

  /** Receives words. Blocks if the socket does. Bytes, 0 at the end, or -errno. */
  receive(socket: number): number {
    const { words } = this.#memory;
    words[MMSGHDR_WORD.controlLength] = CONTROL_SIZE;
    const received = result(libc.recvmmsg(socket, this.#header, 1, MSG_CMSG_CLOEXEC, null));
    return received <= 0 ? received : words[MMSGHDR_WORD.length];
  }

  /** The descriptor that has come with the last words; -1: none. */
  get received(): number {
    const { words } = this.#memory;
    const header = CONTROL >> 2;
    const brings = words[MMSGHDR_WORD.controlLength] >= CMSGHDR_SIZE + 4 &&
      words[header + CMSGHDR_WORD.level] === SOL_SOCKET && words[header + CMSGHDR_WORD.type] === SCM_RIGHTS;
    return brings ? words[header + (CMSGHDR_SIZE >> 2)] : -1;
  }
}
