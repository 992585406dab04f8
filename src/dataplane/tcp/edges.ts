/**
 * Keeps what epoll tells once: edges, in the two directions of a session, whatever stage that is in.
 * @module
 */
import {
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
  SO_OOBINLINE,
  SOL_SOCKET,
} from "../../../ffi/consts.ts";
import { setInt } from "../../../ffi/sockets/sockopt.ts";
import type { Direction, Session } from "./session.ts";

/** Events that sockets of sessions are watched for. */
export const SESSION_EVENTS = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET;

/** Notes an event of one side's socket. */
export function noteEdges(session: Session, upstreamSide: boolean, bits: number): void {
  const reads = upstreamSide ? session.down : session.up;
  const writes = reads.opposite;
  if ((bits & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) !== 0) reads.readable = true;
  if ((bits & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) !== 0) reads.hungUp = true;
  if ((bits & EPOLLPRI) !== 0 && !reads.urgent) meetUrgent(reads);
  if ((bits & (EPOLLOUT | EPOLLHUP | EPOLLERR)) !== 0) writes.writable = true;
}

/**
 * Makes urgent data part of the stream: one leg's mark means nothing on the other, and no byte may be lost.
 */
function meetUrgent(direction: Direction): void {
  direction.urgent = true;
  setInt(direction.from, SOL_SOCKET, SO_OOBINLINE, 1);
}
