/**
 * Listens for the UDP datagrams that the kernel steers here.
 * @module
 */
import { ReceiveBatch } from "../../../ffi/sockets/receive_batch.ts";
import { readSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { openUdpListener } from "../../dataplane/sockets/udp.ts";
import { EAGAIN, EINTR } from "../../net/errno.ts";
import { check } from "../../net/error.ts";
import type { Endpoint, Family } from "../../net/ip.ts";
import { type ListenOptions, openListeners } from "./listeners.ts";
import type { WatchedSocket } from "./readiness.ts";
import { ReplySender } from "./reply_sender.ts";

/** Datagrams of one recvmmsg(2). */
const BATCH = 8;
const ADDRESS_BYTES = 32;

/** A datagram of a client. */
export interface Datagram {
  /** The client's address and port. */
  readonly client: Endpoint;
  /** The address and port that the client has sent it to. */
  readonly destination: Endpoint;
  /** Its content. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** Sends an answer to the client, from the address and port that it has sent to. Throws OperationError. */
  readonly reply: (data: Uint8Array) => Promise<void>;
}

/**
 * A transparent UDP listener: a loop over it gets datagram after datagram. Dispose of it to stop listening.
 */
export class TransparentUdpListener implements AsyncIterable<Datagram>, Disposable {
  /** The port, also where 0 was asked for. */
  readonly port: number;
  readonly #sockets: readonly WatchedSocket[];
  readonly #mark: number;
  readonly #batch = new ReceiveBatch(BATCH);
  readonly #waiting: Datagram[] = [];
  readonly #senders = new Map<Family, ReplySender>();
  readonly #signal: AbortSignal | undefined;
  readonly #abort = () => this.close();
  #open = true;

  /** Made by {@linkcode listenTransparentUdp}. */
  constructor(
    sockets: readonly WatchedSocket[],
    port: number,
    { signal, mark = 0 }: Omit<ListenOptions, "port">,
  ) {
    this.#sockets = sockets;
    this.port = port;
    this.#mark = mark;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort);
    if (signal?.aborted) this.close();
  }

  /**
   * Waits for the next datagram; undefined when listening has ended. Throws OperationError, and may be called
   * again then.
   */
  async receive(): Promise<Datagram | undefined> {
    while (this.#open) {
      for (const { fd } of this.#sockets) {
        if (this.#waiting.length === 0) this.#take(fd);
      }
      const datagram = this.#waiting.shift();
      if (datagram !== undefined) return datagram;
      await Promise.race(this.#sockets.map((socket) => socket.readable()));
      // The others' waits end too: nobody may be left waiting when the caller does not come again.
      for (const socket of this.#sockets) socket.endReading();
    }
    return undefined;
  }

  /** The datagrams, until listening ends. Throws OperationError. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Datagram, void, void> {
    for (;;) {
      const datagram = await this.receive();
      if (datagram === undefined) return;
      yield datagram;
    }
  }

  /** Stops listening, and answering. */
  close(): void {
    this.#open = false;
    this.#signal?.removeEventListener("abort", this.#abort);
    for (const socket of [...this.#sockets, ...this.#senders.values()]) socket.close();
  }

  /** The same as `close`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Takes what is in a socket's queue, up to a batch. */
  #take(fd: number): void {
    const batch = this.#batch;
    const count = batch.receive(fd, 0);
    if (count === -EAGAIN || count === -EINTR) return;
    check(count, "receive");
    for (let i = 0; i < count; i++) {
      batch.inspect(i);
      if (batch.destination < 0) continue; // the kernel has not told it: there is nobody to answer as
      const client = this.#endpoint(batch.name(i));
      const destination = this.#endpoint(batch.destination);
      const [start, end] = [batch.dataOffset(i), batch.dataOffset(i) + batch.length(i)];
      // The kernel may have joined several.
      const size = batch.segmentSize || Math.max(1, end - start);
      for (let at = start; at < end || at === start; at += size) {
        this.#waiting.push(
          this.#datagram(client, destination, batch.bytes.slice(at, Math.min(at + size, end))),
        );
      }
    }
  }

  #endpoint(word: number): Endpoint {
    return readSockaddr(this.#batch.bytes.subarray(word << 2, (word << 2) + ADDRESS_BYTES));
  }

  #datagram(client: Endpoint, destination: Endpoint, data: Uint8Array<ArrayBuffer>): Datagram {
    return { client, destination, data, reply: (answer) => this.#reply(answer, { client, destination }) };
  }

  async #reply(
    answer: Uint8Array,
    { client, destination }: { client: Endpoint; destination: Endpoint },
  ): Promise<void> {
    if (!this.#open) return;
    const { family } = client.address;
    const sender = this.#senders.get(family) ?? new ReplySender(family, this.#mark);
    this.#senders.set(family, sender);
    await sender.send(answer, { from: destination, to: client });
  }
}

/**
 * Listens for datagrams that the kernel steers to `port`. Throws OperationError: EADDRINUSE where somebody
 * else has the port, EPERM where transparent sockets are not permitted.
 *
 * @example A relay of questions that have one answer
 * ```ts ignore
 * import { type Datagram, dialTransparentUdp, listenTransparentUdp } from "@tproxy/tproxy";
 *
 * async function relay({ client, destination, data, reply }: Datagram) {
 *   using server = dialTransparentUdp({ to: destination, from: client });
 *   await server.send(data);
 *   await reply(await server.receive({ signal: AbortSignal.timeout(5000) }));
 * }
 *
 * using listener = listenTransparentUdp({ port: 50080 });
 * for await (const datagram of listener) relay(datagram).catch(() => {}); // no answer has come
 * ```
 */
export function listenTransparentUdp(options: ListenOptions): TransparentUdpListener {
  const { sockets, port } = openListeners(options, openUdpListener);
  return new TransparentUdpListener(sockets, port, options);
}
