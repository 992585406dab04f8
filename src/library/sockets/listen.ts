/**
 * Listens for the TCP connections that the kernel steers here.
 * @module
 */
import { EAGAIN, ECONNABORTED, EINTR } from "../../../ffi/consts.ts";
import { makeSockaddr, readSockaddr, writeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { acceptSocket, closeFd, localAddress } from "../../../ffi/sockets/socket.ts";
import { openListener } from "../../dataplane/sockets/transparent.ts";
import { check, OperationError } from "../../net/error.ts";
import { FAMILIES, listenerAddress } from "../../net/families.ts";
import { formatEndpoint, type IpAddress } from "../../net/ip.ts";
import { TransparentConnection } from "./connection.ts";
import { type WatchedSocket, watchSocket } from "./readiness.ts";
import { checkTransparent } from "./refusal.ts";

/** Where and how to listen. */
export interface ListenOptions {
  /** Port that the kernel steers connections to; 0: any that is free. */
  readonly port: number;
  /**
   * Addresses of the listener, as the kernel's rules name them. Default: 127.0.0.1, and ::1 where there is
   * IPv6.
   */
  readonly addresses?: readonly IpAddress[];
  /** SO_MARK of what is sent to clients; 0: none, the default. */
  readonly mark?: number;
  /** Ends listening, and so the loop over the connections; those that are there go on. */
  readonly signal?: AbortSignal;
}

/**
 * A transparent listener: a loop over it gets connection after connection. Dispose of it to stop listening.
 */
export class TransparentListener implements AsyncIterable<TransparentConnection>, Disposable {
  /** The port, also where 0 was asked for. */
  readonly port: number;
  readonly #sockets: readonly WatchedSocket[];
  readonly #peer = makeSockaddr();
  readonly #local = makeSockaddr();
  readonly #signal: AbortSignal | undefined;
  readonly #abort = () => this.close();
  #open = true;

  /** Made by {@linkcode listenTransparent}. */
  constructor(sockets: readonly WatchedSocket[], port: number, signal?: AbortSignal) {
    this.#sockets = sockets;
    this.port = port;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort);
    if (signal?.aborted) this.close();
  }

  /**
   * Waits for the next connection; undefined when listening has ended. Throws OperationError, and may be
   * called again then.
   */
  async accept(): Promise<TransparentConnection | undefined> {
    while (this.#open) {
      for (const { fd } of this.#sockets) {
        const connection = this.#take(fd);
        if (connection !== undefined) return connection;
      }
      await Promise.race(this.#sockets.map((socket) => socket.readable()));
      // The others' waits end too: nobody may be left waiting when the caller does not come again.
      for (const socket of this.#sockets) socket.endReading();
    }
    return undefined;
  }

  /** The connections, until listening ends. Throws OperationError. */
  async *[Symbol.asyncIterator](): AsyncGenerator<TransparentConnection, void, void> {
    for (;;) {
      const connection = await this.accept();
      if (connection === undefined) return;
      yield connection;
    }
  }

  /** Stops listening. */
  close(): void {
    this.#open = false;
    this.#signal?.removeEventListener("abort", this.#abort);
    for (const socket of this.#sockets) socket.close();
  }

  /** The same as `close`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #take(listener: number): TransparentConnection | undefined {
    const fd = acceptSocket(listener, this.#peer);
    if (fd === -EAGAIN || fd === -EINTR || fd === -ECONNABORTED) return undefined;
    check(fd, "accept");
    const found = localAddress(fd, this.#local);
    if (found < 0) closeFd(fd);
    check(found, "find", "the original destination");
    // Under TPROXY the local address of the client's socket is the one that the client wants to reach.
    const ends = { client: readSockaddr(this.#peer), destination: readSockaddr(this.#local) };
    return new TransparentConnection(watchSocket(fd), ends);
  }
}

/**
 * Listens for connections that the kernel steers to `port`. Throws OperationError: EADDRINUSE where somebody
 * else has the port, EPERM where transparent sockets are not permitted.
 */
export function listenTransparent(options: ListenOptions): TransparentListener {
  const sockets: WatchedSocket[] = [];
  let { port } = options;
  try {
    for (const address of options.addresses ?? FAMILIES.map(listenerAddress)) {
      const mayLack = options.addresses === undefined && sockets.length > 0;
      const fd = openAt({ address, port, mark: options.mark ?? 0, mayLack });
      if (fd === undefined) continue;
      sockets.push(watchSocket(fd));
      const local = makeSockaddr();
      check(localAddress(fd, local), "find", "the listener's port");
      port = readSockaddr(local).port; // the same for the next family, where any was asked for
    }
  } catch (error) {
    for (const socket of sockets) socket.close();
    throw error;
  }
  return new TransparentListener(sockets, port, options.signal);
}

/** A listener's descriptor; undefined where the machine lacks the address, if it may. */
function openAt(
  { address, port, mark, mayLack }: { address: IpAddress; port: number; mark: number; mayLack: boolean },
): number | undefined {
  const place = makeSockaddr();
  writeSockaddr(place, { address, port });
  try {
    const opened = openListener({ address: place, mark, shared: false });
    return checkTransparent(opened, "listen on", formatEndpoint({ address, port }));
  } catch (error) {
    const isAbsent = error instanceof OperationError &&
      ["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes(error.code);
    if (mayLack && isAbsent) return undefined;
    throw error;
  }
}
