/**
 * A UDP socket of the self-test: an ordinary one, as any program has it. It belongs to the namespace of the
 * thread that makes it.
 * @module
 */
import { AF_INET, AF_INET6, EAGAIN, ECONNREFUSED, SOCK_DGRAM } from "../../../../ffi/consts.ts";
import { makeSockaddr, readSockaddr, writeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import {
  bindSocket,
  closeFd,
  connectSocket,
  localAddress,
  openSocket,
  receiveFrom,
  sendTo,
} from "../../../../ffi/sockets/socket.ts";
import { check } from "../../../net/error.ts";
import { type Endpoint, type Family, formatEndpoint } from "../../../net/ip.ts";

/** A datagram that has arrived. */
export interface Datagram {
  readonly from: Endpoint;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** Milliseconds between two looks at a socket. The thread has other work: it must not block in the kernel. */
const POLL_MS = 2;
/** No datagram is longer. */
const LONGEST = 65536;

/** A UDP socket. Close it, or let `using` do so. All methods throw OperationError. */
export class UdpPeer implements Disposable {
  readonly #fd: number;
  readonly #address = makeSockaddr();
  readonly #buffer = new Uint8Array(LONGEST);

  /** A socket with an address and port of the kernel's choice. */
  constructor(family: Family) {
    this.#fd = check(openSocket(family === "ipv4" ? AF_INET : AF_INET6, SOCK_DGRAM), "open", "a UDP socket");
  }

  /** A socket that has this address and port. */
  static bound(local: Endpoint): UdpPeer {
    const peer = new UdpPeer(local.address.family);
    writeSockaddr(peer.#address, local);
    check(bindSocket(peer.#fd, peer.#address), "bind", formatEndpoint(local));
    return peer;
  }

  /** From now on it hears this peer alone, and learns that the peer's port is unreachable. */
  connect(remote: Endpoint): void {
    writeSockaddr(this.#address, remote);
    check(connectSocket(this.#fd, this.#address), "connect to", formatEndpoint(remote));
  }

  /** The port that it has; 0 before it has sent, unless it was given one. */
  get localPort(): number {
    check(localAddress(this.#fd, this.#address), "find", "the local port");
    return readSockaddr(this.#address).port;
  }

  /** Sends one datagram. */
  send(payload: Uint8Array<ArrayBuffer>, to: Endpoint): void {
    writeSockaddr(this.#address, to);
    check(sendTo(this.#fd, payload, this.#address), "send to", formatEndpoint(to));
  }

  /** Receives a datagram; undefined: none has arrived; `"refused"`: a port unreachable has. */
  receive(): Datagram | "refused" | undefined {
    const length = receiveFrom(this.#fd, this.#buffer, this.#address);
    if (length === -EAGAIN) return undefined;
    if (length === -ECONNREFUSED) return "refused";
    check(length, "receive from", "a UDP socket");
    return { from: readSockaddr(this.#address), payload: this.#buffer.slice(0, length) };
  }

  /** Waits for what arrives next. */
  async next(timeoutMs: number): Promise<Datagram | "refused" | "timeout"> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const received = this.receive();
      if (received !== undefined) return received;
      if (performance.now() >= end) return "timeout";
      await pause();
    }
  }

  /** Closes the socket. */
  [Symbol.dispose](): void {
    closeFd(this.#fd);
  }
}

/** Waits as long as is fit between two looks at a socket. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
