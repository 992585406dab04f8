/**
 * A connection, or a UDP socket with a peer, from whatever address is wanted.
 * @module
 */
import { EINPROGRESS, EINTR, ETIMEDOUT, POLLOUT } from "../../../ffi/consts.ts";
import { PollSet } from "../../../ffi/poll.ts";
import { closeFd, connectSocket, openNonBlocking } from "../../../ffi/sockets/socket.ts";
import { takeSocketError } from "../../../ffi/sockets/sockopt.ts";
import { isOwnAddress } from "../../dataplane/sockets/own_address.ts";
import { openBound, openForeign, tryTransparent } from "../../dataplane/sockets/transparent.ts";
import { OperationError } from "../../net/error.ts";
import { bindHint, connectHint, formatSockaddr, type Sockaddr } from "../arguments/endpoints.ts";

/** Target and manner of a dial. */
export interface Call {
  readonly target: Sockaddr;
  /** The address to have, this machine's or not; null: the kernel chooses. */
  readonly source: Sockaddr | null;
  /** SOCK_STREAM or SOCK_DGRAM. */
  readonly type: number;
  /** Milliseconds to wait for an answer, -1: as long as the kernel does. */
  readonly waitMs: number;
}

/**
 * A connected socket, non-blocking; or the reason why the connection does not come about. Throws
 * OperationError where there is no socket with that source.
 */
export function dial(call: Call): number | OperationError {
  const { target, source } = call;
  const foreign = source !== null && !isOwnAddress(source);
  const fd = source === null ? openNonBlocking(target[0], call.type) : openFrom(source, call.type, foreign);
  if (fd < 0) {
    throw new OperationError({
      operation: source === null ? "open a socket to" : "send from",
      object: formatSockaddr(source ?? target),
      errno: -fd,
      hint: bindHint(-fd, { address: source ?? target, foreign }),
    });
  }
  let returned = connectSocket(fd, target);
  if (returned === -EINPROGRESS) returned = waitForAnswer(fd, call.waitMs);
  if (returned >= 0) return fd;
  closeFd(fd);
  return new OperationError({
    operation: "connect to",
    object: formatSockaddr(target) + (source === null ? "" : ` from ${formatSockaddr(source)}`),
    errno: -returned,
    hint: connectHint(-returned, { target, source, foreign }),
  });
}

/** Makes the socket transparent wherever that is permitted. */
function openFrom(source: Sockaddr, type: number, foreign: boolean): number {
  const openAs = (transparent: boolean) => openBound({ type, address: source, transparent });
  return foreign ? openForeign(openAs) : openAs(tryTransparent(source[0]) >= 0);
}

function waitForAnswer(fd: number, waitMs: number): number {
  const set = new PollSet(1);
  set.set(0, fd, POLLOUT);
  const end = performance.now() + waitMs;
  for (;;) {
    const ready = set.wait(waitMs < 0 ? -1 : Math.max(0, Math.ceil(end - performance.now())));
    if (ready === 0) return -ETIMEDOUT;
    if (ready > 0) return -takeSocketError(fd);
    if (ready !== -EINTR) return ready;
  }
}
