/**
 * Netcat's demands on a socket. Throws OperationError.
 * @module
 */
import { EINTR, POLLIN } from "../../../ffi/consts.ts";
import { PollSet } from "../../../ffi/poll.ts";
import { makeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { localAddress } from "../../../ffi/sockets/socket.ts";
import { check } from "../../net/error.ts";
import type { Sockaddr } from "../arguments/endpoints.ts";

/** Waits until a socket has a client or a datagram, for ever. */
export function waitForInput(fd: number): void {
  const set = new PollSet(1);
  set.set(0, fd, POLLIN);
  for (;;) {
    const ready = set.wait(-1);
    if (ready > 0) return;
    if (ready !== -EINTR) check(ready, "wait for", "a client");
  }
}

/** The address that a socket has. */
export function nameOf(fd: number): Sockaddr {
  const address = makeSockaddr();
  check(localAddress(fd, address), "find", "the address of a socket");
  return address;
}
