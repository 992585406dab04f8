/**
 * Dials the upstream of a connection from the address that `source` asks for.
 * @module
 */
import { EADDRINUSE, EADDRNOTAVAIL, EINPROGRESS } from "../../../ffi/consts.ts";
import { closeFd, connectSocket } from "../../../ffi/sockets/socket.ts";
import type { WorkerContext } from "../context.ts";
import { COUNTER } from "../shared/state.ts";
import type { OwnAddresses, RouterTraffic } from "../sockets/own_addresses.ts";
import { anyPort, fastOpen, openDialler } from "../sockets/transparent.ts";

/** What chooses the upstream of an accepted connection. */
export interface Dials {
  /**
   * A socket on its way to the upstream. `destination` is the local address of the client's socket, `client` its peer, both in C's
   * layout; `client` may be changed. The descriptor or -errno.
   */
  dial(destination: Uint8Array<ArrayBuffer>, client: Uint8Array<ArrayBuffer>, clientFd: number): number;
  /**
   * Another one, where `upstreamFd` has failed with the errno `error` before it was connected. The descriptor, or -errno: the client
   * is given up.
   */
  redial?(clientFd: number, upstreamFd: number, error: number): number;
  /** The upstream has answered. */
  connected?(clientFd: number, upstreamFd: number): void;
}

/**
 * A socket on its way to `destination` from `source`, or from wherever the kernel likes if that is null; its connect(2) has
 * begun. Both addresses are in C's layout. With `fast`, what is sent first goes with the SYN, if it may. `mark`: SO_MARK, 0 for none.
 * The descriptor or -errno.
 */
export function connectFrom(
  destination: Uint8Array<ArrayBuffer>,
  source: Uint8Array<ArrayBuffer> | null,
  fast = false,
  mark = 0,
): number {
  const fd = openDialler(destination[0], source, mark);
  if (fd < 0) return fd;
  if (fast) fastOpen(fd);
  const returned = connectSocket(fd, destination);
  if (returned >= 0 || returned === -EINPROGRESS) return fd;
  closeFd(fd);
  return returned;
}

/** Dials for one worker. */
export class Dialler implements Dials {
  readonly #context: WorkerContext;
  readonly #mark: number;
  readonly #own: OwnAddresses | null;

  constructor(context: WorkerContext, router: RouterTraffic | null = null) {
    this.#context = context;
    this.#mark = router === null ? 0 : router.mark;
    this.#own = router === null ? null : router.own;
  }

  /**
   * A socket on its way to `destination`, with its connect(2) begun. Both addresses are in C's layout; `client` may be
   * changed. `fast`: see {@linkcode connectFrom}. The descriptor or -errno.
   */
  dial(
    destination: Uint8Array<ArrayBuffer>,
    client: Uint8Array<ArrayBuffer>,
    _clientFd = -1,
    fast = false,
  ): number {
    const mark = this.#mark;
    const { source } = this.#context.settings;
    if (source === "router") return connectFrom(destination, null, fast, mark);
    // The port of a program on the router is held by that program's own socket.
    if (source === "client-address" || (this.#own !== null && this.#own.has(client))) {
      return connectFrom(destination, anyPort(client), fast, mark);
    }
    const fd = connectFrom(destination, client, fast, mark);
    // The client's port may be held by what is left of an earlier connection between the same two (TIME_WAIT): another
    // port is better than no connection.
    if (fd !== -EADDRNOTAVAIL && fd !== -EADDRINUSE) return fd;
    this.#context.counters[COUNTER.portChanged]++;
    return connectFrom(destination, anyPort(client), fast, mark);
  }
}
