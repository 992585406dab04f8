/**
 * Listens for the TCP connections that the kernel steers here.
 * @module
 */
import { EAGAIN, ECONNABORTED, EINTR } from "../../../ffi/consts.ts";
import { makeSockaddr, readSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { acceptSocket, closeFd, localAddress } from "../../../ffi/sockets/socket.ts";
import { openListener } from "../../dataplane/sockets/transparent.ts";
import { check } from "../../net/error.ts";
import { TransparentConnection } from "./connection.ts";
import { type ListenOptions, openListeners } from "./listeners.ts";
import { type WatchedSocket, watchSocket } from "./readiness.ts";

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
  const { sockets, port } = openListeners(options, openListener);
  return new TransparentListener(sockets, port, options.signal);
}
