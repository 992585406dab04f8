/**
 * Answers of {@linkcode hasAddress} that are remembered: a client that has an address of the machine is a
 * program on the router itself.
 * @module
 */
import { AF_INET, SOCK_DGRAM } from "../../../ffi/consts.ts";
import { makeSockaddr, sameSockaddr, setPort } from "../../../ffi/sockets/sockaddr.ts";
import { closeFd, openNonBlocking } from "../../../ffi/sockets/socket.ts";
import type { Clock } from "../loop/clock.ts";
import { TICK_MS } from "../loop/wheel.ts";
import { DISCARD_PORT, hasAddress } from "./own_address.ts";

/** Answers that are remembered; a power of two. */
const PLACES = 64;
/** The time for which an answer holds: addresses come and go. */
const KNOWN_TICKS = 1000 / TICK_MS;
const UNKNOWN = 0;
const OWN = 1;
const FOREIGN = 2;

/** The router's own traffic: clients may be programs on the router itself. */
export interface RouterTraffic {
  /** SO_MARK of the sockets towards servers. */
  readonly mark: number;
  /** By its address such a client is known. */
  readonly own: OwnAddresses;
}

/** Asks the kernel about addresses, and remembers each answer for a second. */
export class OwnAddresses {
  readonly #clock: Clock;
  readonly #sockets = new Map<number, number>();
  readonly #places = Array.from({ length: PLACES }, makeSockaddr);
  readonly #answers = new Uint8Array(PLACES);
  readonly #ticks = new Int32Array(PLACES);
  readonly #local = makeSockaddr();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Tells whether the address in a struct sockaddr, 32 bytes, is the router's own; its port does not matter.
   */
  has(address: Uint8Array<ArrayBuffer>): boolean {
    const end = address[0] === AF_INET ? 8 : 24;
    let hash = 0;
    for (let i = 4; i < end; i++) hash = (Math.imul(hash, 31) + address[i]) | 0;
    const index = (hash ^ (hash >>> 6) ^ (hash >>> 12)) & (PLACES - 1);
    const place = this.#places[index];
    const port = (address[2] << 8) | address[3];
    setPort(address, DISCARD_PORT);
    const fresh = this.#clock.tick - this.#ticks[index] < KNOWN_TICKS;
    if (!fresh || this.#answers[index] === UNKNOWN || !sameSockaddr(place, address)) {
      place.set(address);
      this.#answers[index] = this.#ask(place) ? OWN : FOREIGN;
      this.#ticks[index] = this.#clock.tick;
    }
    setPort(address, port);
    return this.#answers[index] === OWN;
  }

  /** Closes what it asks through. */
  close(): void {
    for (const fd of this.#sockets.values()) closeFd(fd);
    this.#sockets.clear();
  }

  #ask(address: Uint8Array<ArrayBuffer>): boolean {
    const fd = this.#socket(address[0]);
    if (fd < 0) return false;
    return hasAddress(fd, address, this.#local);
  }

  #socket(family: number): number {
    const known = this.#sockets.get(family);
    if (known !== undefined) return known;
    const fd = openNonBlocking(family, SOCK_DGRAM);
    if (fd >= 0) this.#sockets.set(family, fd);
    return fd;
  }
}
