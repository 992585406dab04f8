/**
 * UDP towards servers from addresses that are not this machine's.
 * @module
 */
import { makeSockaddr, readSockaddr, writeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { connectSocket, localAddress, receive, send } from "../../../ffi/sockets/socket.ts";
import { openUdpUpstream } from "../../dataplane/sockets/udp.ts";
import { EAGAIN, EINTR } from "../../net/errno.ts";
import { check, OperationError } from "../../net/error.ts";
import { type Endpoint, formatEndpoint } from "../../net/ip.ts";
import type { DialOptions } from "./dial.ts";
import { type WatchedSocket, watchSocket } from "./readiness.ts";
import { checkTransparent, describeCall } from "./refusal.ts";

/** The longest datagram. */
const ROOM = 65536;

/** A UDP socket that talks with one server, from an address that need not be this machine's. */
export class TransparentUdpSocket implements AsyncIterable<Uint8Array<ArrayBuffer>>, Disposable {
  /** The address and port that the server sees. */
  readonly client: Endpoint;
  /** The server's. */
  readonly destination: Endpoint;
  readonly #socket: WatchedSocket;
  readonly #room = new Uint8Array(ROOM);
  #open = true;

  /** Made by {@linkcode dialTransparentUdp}. */
  constructor(socket: WatchedSocket, ends: { client: Endpoint; destination: Endpoint }) {
    this.#socket = socket;
    this.client = ends.client;
    this.destination = ends.destination;
  }

  /**
   * Sends a datagram; waits while the network takes none. Throws OperationError: also of earlier ones that
   * nobody wanted.
   */
  async send(data: Uint8Array<ArrayBuffer>): Promise<void> {
    while (this.#open) {
      const sent = send(this.#socket.fd, data, data.length);
      if (sent !== -EAGAIN && sent !== -EINTR) {
        return void check(sent, "send to", formatEndpoint(this.destination));
      }
      await this.#socket.writable();
    }
    throw this.#closed("send to");
  }

  /** Waits for the next datagram of the server. Throws OperationError, and the reason of the signal. */
  async receive({ signal }: { signal?: AbortSignal } = {}): Promise<Uint8Array<ArrayBuffer>> {
    const endWait = () => this.#socket.endReading();
    signal?.addEventListener("abort", endWait);
    try {
      while (this.#open) {
        signal?.throwIfAborted();
        const received = receive(this.#socket.fd, this.#room, this.#room.length);
        if (received !== -EAGAIN && received !== -EINTR) {
          return this.#room.slice(0, check(received, "receive from", formatEndpoint(this.destination)));
        }
        await this.#socket.readable();
      }
      throw this.#closed("receive from");
    } finally {
      signal?.removeEventListener("abort", endWait);
    }
  }

  /** The datagrams of the server, until the socket is closed. Throws OperationError. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
    while (this.#open) {
      try {
        yield await this.receive();
      } catch (error) {
        if (this.#open) throw error;
      }
    }
  }

  /** Closes it. Waits for it end with an error. */
  close(): void {
    this.#open = false;
    this.#socket.close();
  }

  /** The same as `close`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #closed(operation: string): OperationError {
    const object = formatEndpoint(this.destination);
    return new OperationError({ operation, object, reason: "the socket is closed" });
  }
}

/**
 * Opens a UDP socket to a server from an address that need not be this machine's: the answers must come back
 * by way of this machine. Throws OperationError: EPERM where transparent sockets are not permitted.
 */
export function dialTransparentUdp(
  { to, from, mark = 0 }: Omit<DialOptions, "signal">,
): TransparentUdpSocket {
  const [source, destination] = [makeSockaddr(), makeSockaddr()];
  writeSockaddr(source, from);
  writeSockaddr(destination, to);
  const options = { tos: false, errors: false, mark, stream: true };
  const opened = openUdpUpstream(destination[0], source, options);
  const socket = watchSocket(checkTransparent(opened, "dial", describeCall({ to, from })));
  const connected = connectSocket(socket.fd, destination);
  if (connected < 0) socket.close();
  check(connected, "dial", describeCall({ to, from }));
  localAddress(socket.fd, source);
  return new TransparentUdpSocket(socket, { client: readSockaddr(source), destination: to });
}
