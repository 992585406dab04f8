/**
 * Dials the upstream of a connection from the address that `source` asks for.
 * @module
 */
import { EADDRINUSE, EADDRNOTAVAIL, EINPROGRESS } from "../../ffi/consts.ts";
import { closeFd, connectSocket } from "../../ffi/socket.ts";
import type { Source } from "../config/types.ts";
import { anyPort, openDialler } from "./sockets.ts";

/**
 * A socket on its way to `destination` from `source`, or from wherever the kernel likes if that is null; its connect(2) has
 * begun. Both addresses are in C's layout. The descriptor or -errno.
 */
export function connectFrom(
  destination: Uint8Array<ArrayBuffer>,
  source: Uint8Array<ArrayBuffer> | null,
): number {
  const fd = openDialler(destination[0], source);
  if (fd < 0) return fd;
  const returned = connectSocket(fd, destination);
  if (returned >= 0 || returned === -EINPROGRESS) return fd;
  closeFd(fd);
  return returned;
}

/** Dials for one worker. */
export class Dialler {
  readonly #source: Source;
  readonly #onPortChanged: () => void;

  constructor(source: Source, onPortChanged: () => void) {
    this.#source = source;
    this.#onPortChanged = onPortChanged;
  }

  /**
   * A socket on its way to `destination`, with its connect(2) begun. Both addresses are in C's layout; `client` may be
   * changed. The descriptor or -errno.
   */
  dial(destination: Uint8Array<ArrayBuffer>, client: Uint8Array<ArrayBuffer>): number {
    if (this.#source === "router") return connectFrom(destination, null);
    if (this.#source === "client-address") return connectFrom(destination, anyPort(client));
    const fd = connectFrom(destination, client);
    // The client's port may be held by what is left of an earlier connection between the same two (TIME_WAIT): another
    // port is better than no connection.
    if (fd !== -EADDRNOTAVAIL && fd !== -EADDRINUSE) return fd;
    this.#onPortChanged();
    return connectFrom(destination, anyPort(client));
  }
}
