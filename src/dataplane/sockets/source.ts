/**
 * From which address servers are dialled, for TCP and UDP alike.
 * @module
 */
import { AF_INET6, EADDRINUSE, EADDRNOTAVAIL } from "../../../ffi/consts.ts";
import { clearPort, makeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import type { Source } from "../../config/types.ts";
import type { RouterTraffic } from "./own_addresses.ts";

/**
 * Chooses the address that a socket is bound to:
 *
 * ```ts
 * const from = source.choose(client, settings.source);
 * let fd = open(from);
 * if (fd < 0 && source.changePort(fd)) fd = open(from);
 * ```
 */
export class SourceAddress {
  /** SO_MARK of the sockets, 0 for none. */
  readonly mark: number;
  /**
   * The last client was a program on the router itself; not asked where the router's own address is chosen
   * anyway.
   */
  own = false;
  readonly #router: RouterTraffic | null;
  readonly #address = makeSockaddr();
  #keepsPort = false;

  /** `router`: null where no client is a program on the router itself. */
  constructor(router: RouterTraffic | null) {
    this.#router = router;
    this.mark = router === null ? 0 : router.mark;
  }

  /**
   * The address for a client's socket: this object's own, good until the next choice; null: wherever the
   * kernel likes.
   */
  choose(client: Uint8Array<ArrayBuffer>, source: Source): Uint8Array<ArrayBuffer> | null {
    this.own = this.#keepsPort = false;
    if (source === "router") return null;
    const address = this.#address;
    address.set(client);
    if (address[0] === AF_INET6) address.fill(0, 4, 8); // the flow label
    this.own = this.#router !== null && this.#router.own.has(address);
    // The port of a program on the router is held by that program's own socket.
    this.#keepsPort = source === "client" && !this.own;
    if (!this.#keepsPort) clearPort(address);
    return address;
  }

  /** The same for a flow whose source the router has translated to this one. */
  chooseTranslated(translated: Uint8Array<ArrayBuffer>, source: Source): Uint8Array<ArrayBuffer> | null {
    this.own = this.#keepsPort = false;
    if (source === "router") return null;
    this.#address.set(translated);
    this.#keepsPort = source === "client";
    if (!this.#keepsPort) clearPort(this.#address);
    return this.#address;
  }

  /**
   * Gives the chosen address another port, if that may help where a socket could not be had with -errno. The
   * port may be held by what is left of an earlier connection between the same two (TIME_WAIT), or by a
   * daemon of this router: another port is better than no connection.
   */
  changePort(error: number): boolean {
    if (!this.#keepsPort || (error !== -EADDRNOTAVAIL && error !== -EADDRINUSE)) return false;
    this.#keepsPort = false;
    clearPort(this.#address);
    return true;
  }
}
