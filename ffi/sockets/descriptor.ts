/**
 * Descriptors from another process, over a socket of AF_UNIX that keeps messages apart.
 * @module
 */
import { EAGAIN, EBADF, EPIPE, MSG_NOSIGNAL } from "../consts.ts";
import { result } from "../errno.ts";
import { libc } from "../libc.ts";
import { Parcel } from "./parcel.ts";

/**
 * Sends a question and waits for the answer: a number of an error, or 0 and a descriptor. Returns the
 * descriptor or -errno: -EPIPE, nobody answers.
 */
export function askForDescriptor(fd: number, question: Uint8Array<ArrayBuffer>): number {
  const sent = result(libc.send(fd, question, question.length, MSG_NOSIGNAL));
  if (sent < 0) return sent === -EAGAIN ? -EPIPE : sent;
  return receiveDescriptor(fd);
}

/** Waits for such an answer. */
export function receiveDescriptor(fd: number): number {
  const parcel = new Parcel(1);
  const received = parcel.receive(fd);
  if (received < 0) return received === -EAGAIN ? -EPIPE : received;
  if (received !== 4) return -EPIPE;
  if (parcel.words[0] !== 0) return parcel.words[0] > 0 ? -parcel.words[0] : parcel.words[0];
  return parcel.received >= 0 ? parcel.received : -EBADF;
}
