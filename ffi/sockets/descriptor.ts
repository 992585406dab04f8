/**
 * Descriptors from another process, over a socket of AF_UNIX that keeps messages apart.
 * @module
 */
import { EAGAIN, EBADF, EPIPE, MSG_CMSG_CLOEXEC, MSG_NOSIGNAL, SCM_RIGHTS, SOL_SOCKET } from "../consts.ts";
import { result } from "../errno.ts";
import { CMSGHDR_SIZE, CMSGHDR_WORD, IOVEC_SIZE, MMSGHDR_SIZE, MMSGHDR_WORD } from "../layout.ts";
import { libc } from "../libc.ts";
import { PinnedMemory } from "../memory.ts";

// struct mmsghdr, struct iovec, the answer's 4 bytes, and the cmsghdr with the descriptor.
const IOVEC = MMSGHDR_SIZE;
const ANSWER = IOVEC + IOVEC_SIZE;
const CONTROL = ANSWER + 8;
const CONTROL_SIZE = CMSGHDR_SIZE + 8;

/**
 * Sends a question and waits for the answer: a number of an error, or 0 and a descriptor. Returns the
 * descriptor or -errno: -EPIPE, nobody answers.
 */
export function askForDescriptor(fd: number, question: Uint8Array<ArrayBuffer>): number {
  const sent = result(libc.send(fd, question, question.length, MSG_NOSIGNAL));
  if (sent < 0) return sent === -EAGAIN ? -EPIPE : sent;
  const memory = new PinnedMemory(CONTROL + CONTROL_SIZE);
  const { words } = memory;
  const point = (word: number, to: number) => {
    words[word] = (memory.low + to) | 0;
    words[word + 1] = memory.high;
  };
  point(MMSGHDR_WORD.iovecs, IOVEC);
  words[MMSGHDR_WORD.iovecCount] = 1;
  point(MMSGHDR_WORD.control, CONTROL);
  words[MMSGHDR_WORD.controlLength] = CONTROL_SIZE;
  point(IOVEC >> 2, ANSWER);
  words[(IOVEC >> 2) + 2] = 4;
  const received = result(libc.recvmmsg(fd, memory.address(0), 1, MSG_CMSG_CLOEXEC, null));
  if (received < 0) return received === -EAGAIN ? -EPIPE : received;
  if (received === 0 || words[MMSGHDR_WORD.length] !== 4) return -EPIPE;
  const header = CONTROL >> 2;
  if (words[ANSWER >> 2] !== 0) return -words[ANSWER >> 2];
  const brings = words[MMSGHDR_WORD.controlLength] >= CMSGHDR_SIZE + 4 &&
    words[header + CMSGHDR_WORD.level] === SOL_SOCKET && words[header + CMSGHDR_WORD.type] === SCM_RIGHTS;
  return brings ? words[header + (CMSGHDR_SIZE >> 2)] : -EBADF;
}
