/**
 * A TCP connection as two streams. Nothing is read ahead: who reads slowly slows the sender down, through the
 * kernel's own windows.
 * @module
 */
import { EAGAIN, EINTR, SHUT_WR } from "../../../ffi/consts.ts";
import { receive, send, shutdownSocket } from "../../../ffi/sockets/socket.ts";
import { resetOnClose } from "../../../ffi/sockets/sockopt.ts";
import { OperationError } from "../../net/error.ts";
import { type Endpoint, formatEndpoint } from "../../net/ip.ts";
import type { WatchedSocket } from "./readiness.ts";

/** The room of one read, where the reader brings none of its own. */
const CHUNK_SIZE = 64 * 1024;

/** The two ends of a connection. */
export interface ConnectionEnds {
  /** The client's address and port. */
  readonly client: Endpoint;
  /** The server's. */
  readonly destination: Endpoint;
}

/**
 * A TCP connection. Its streams end it: when both have ended, it is closed. Closing `writable` is a
 * half-close: the other side reads the end, and may go on sending. Aborting `writable` resets the connection.
 */
export class TransparentConnection implements Disposable {
  /** The client's address and port; of a connection that was dialled, those that it was dialled from. */
  readonly client: Endpoint;
  /** The address and port that the client wants to reach, or that was dialled. */
  readonly destination: Endpoint;
  /** The bytes that the other side sends, until its end. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Takes bytes for the other side. */
  readonly writable: WritableStream<Uint8Array<ArrayBuffer>>;

  readonly #socket: WatchedSocket;
  #reader: ReadableByteStreamController | undefined;
  #writer: WritableStreamDefaultController | undefined;

  /** Made by a listener, and by {@linkcode dialTransparent}. */
  constructor(socket: WatchedSocket, { client, destination }: ConnectionEnds) {
    this.#socket = socket;
    this.client = client;
    this.destination = destination;
    this.readable = new ReadableStream({
      type: "bytes",
      autoAllocateChunkSize: CHUNK_SIZE,
      start: (controller) => void (this.#reader = controller),
      pull: () => this.#read(),
      cancel: () => this.#endReading(),
    });
    this.writable = new WritableStream({
      start: (controller) => {
        this.#writer = controller;
        // The stream itself waits for a write under way, which the other side may never take.
        controller.signal.addEventListener("abort", () => this.#reset());
      },
      write: (chunk) => this.#write(chunk),
      close: () => this.#finish(),
    });
  }

  /** Closes the connection at once, in both directions. Streams that are still in use fail. */
  close(): void {
    const reason = this.#closedFailure();
    this.#reader?.error(reason);
    this.#writer?.error(reason);
    this.#reader = this.#writer = undefined;
    this.#socket.close();
  }

  /** The same as `close`. */
  [Symbol.dispose](): void {
    this.close();
  }

  async #read(): Promise<void> {
    do {
      const request = this.#reader?.byobRequest;
      if (!request) return; // it has ended meanwhile
      const room = request.view as Uint8Array<ArrayBuffer>;
      const received = receive(this.#socket.fd, room, room.length);
      if (received > 0) return request.respond(received);
      if (received === 0) {
        this.#reader?.close();
        request.respond(0); // a reader that brings its room gets it back
        return this.#endReading();
      }
      if (received !== -EAGAIN && received !== -EINTR) {
        this.#reader?.error(this.#failure("read from", -received));
        return this.#endReading();
      }
    } while (await this.#socket.readable());
  }

  async #write(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    let rest = chunk;
    while (rest.length > 0 && this.#socket.isOpen) {
      const sent = send(this.#socket.fd, rest, rest.length);
      if (sent >= 0) {
        rest = rest.subarray(sent);
        continue;
      }
      if (sent !== -EAGAIN && sent !== -EINTR) {
        this.#endWriting();
        throw this.#failure("write to", -sent);
      }
      if (!await this.#socket.writable()) throw this.#closedFailure();
    }
  }

  #finish(): void {
    // fails where the other side has reset it, which a reader is told
    shutdownSocket(this.#socket.fd, SHUT_WR);
    this.#endWriting();
  }

  #reset(): void {
    if (!this.#socket.isOpen) return;
    resetOnClose(this.#socket.fd);
    this.#writer = undefined; // who aborts it gives its error
    this.close();
  }

  #endReading(): void {
    this.#reader = undefined;
    if (this.#writer === undefined) this.#socket.close();
    else this.#socket.endReading();
  }

  #endWriting(): void {
    this.#writer = undefined;
    if (this.#reader === undefined) this.#socket.close();
  }

  #failure(operation: string, errno: number): OperationError {
    return new OperationError({ operation, object: this.#name(), errno });
  }

  #closedFailure(): OperationError {
    return new OperationError({ operation: "use", object: this.#name(), reason: "it is closed" });
  }

  #name(): string {
    return `${formatEndpoint(this.client)} → ${formatEndpoint(this.destination)}`;
  }
}
