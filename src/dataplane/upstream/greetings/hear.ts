/**
 * Hears what an upstream proxy says in a talk.
 * @module
 */
import { EAGAIN, ECONNRESET, MSG_DONTWAIT, MSG_PEEK } from "../../../../ffi/consts.ts";
import { receive, receiveWithFlags } from "../../../../ffi/sockets/socket.ts";
import type { Greeting } from "./greeting.ts";

/**
 * Takes what the talk has understood, and no more: a server's first bytes are left. Their number; -EAGAIN:
 * more is needed.
 */
export function hear(fd: number, talk: Greeting, scratch: Uint8Array<ArrayBuffer>): number {
  const length = receiveWithFlags(fd, scratch, MSG_PEEK | MSG_DONTWAIT);
  if (length <= 0) return length === 0 ? -ECONNRESET : length;
  const taken = talk.input(scratch, length);
  if (taken <= 0) return taken === 0 ? -EAGAIN : taken;
  return receive(fd, scratch, taken);
}
