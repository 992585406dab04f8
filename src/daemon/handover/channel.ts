/**
 * The connection between a proxy and its successor: parcels of text, columns and descriptors, in pieces of a
 * message each.
 * @module
 */
import { PollSet } from "../../../ffi/poll.ts";
import {
  limitWaits,
  MOST_BYTES,
  MOST_DESCRIPTORS,
  SequenceMemory,
  type SequenceMessage,
} from "../../../ffi/sockets/sequence.ts";
import { closeFd, shutdownSocket } from "../../../ffi/sockets/socket.ts";
import { SHUT_RDWR } from "../../../ffi/consts.ts";
import { joinBytes } from "../../net/bytes.ts";
import { errnoCode } from "../../net/errno.ts";
import { OperationError } from "../../net/error.ts";

/** Columns that a parcel carries. */
export type Column = Int32Array | Float64Array | Uint8Array;

/** A parcel. */
export interface Parcel {
  readonly kind: string;
  readonly text: string;
  readonly columns: readonly Column[];
  readonly fds: readonly number[];
}

type ColumnKind = "i32" | "f64" | "u8";

/** The first message of a parcel. */
interface Head {
  readonly kind: string;
  /** Bytes of the text, then of each column with its kind; all follow in this order. */
  readonly text: number;
  readonly columns: readonly (readonly [kind: ColumnKind, bytes: number])[];
  readonly fds: number;
}

const POLLIN = 1;
/** Milliseconds for one message, once a parcel has begun. */
const MESSAGE_MS = 5000;
const LONGEST_BODY = 1 << 28;

/** See the module. Close it. */
export class HandoverChannel {
  readonly #fd: number;
  readonly #memory = new SequenceMemory();
  #waiting: Promise<boolean> | undefined;
  #closed = false;

  /** Takes a connection over. */
  constructor(fd: number) {
    this.#fd = fd;
    limitWaits(fd, MESSAGE_MS);
  }

  /** Tells whether this end has closed it. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Sends a parcel. Throws an OperationError where the other end does not take it. */
  send(kind: string, parcel: Partial<Omit<Parcel, "kind">> = {}): void {
    const { columns = [], fds = [] } = parcel;
    const text = new TextEncoder().encode(parcel.text ?? "");
    const head: Head = {
      kind,
      text: text.length,
      columns: columns.map((column) => [kindOf(column), column.byteLength]),
      fds: fds.length,
    };
    this.#sendOne(new TextEncoder().encode(JSON.stringify(head)), []);
    const body = joinBytes([text, ...columns.map(bytesOf)]);
    for (let i = 0; i < countMessages(body.length, fds.length); i++) {
      const piece = body.subarray(i * MOST_BYTES, (i + 1) * MOST_BYTES);
      const own = fds.slice(i * MOST_DESCRIPTORS, (i + 1) * MOST_DESCRIPTORS);
      this.#sendOne(piece.length === 0 ? new Uint8Array(1) : piece, own);
    }
  }

  /**
   * Waits for a parcel of this kind. Throws an OperationError where the other end goes, says something else,
   * or nothing for so many milliseconds.
   */
  async receive(kind: string, patienceMs = Infinity): Promise<Parcel> {
    if (!await this.#isReady(patienceMs)) throw failure(`nothing comes for ${patienceMs / 1000} s`);
    const head = this.#readHead();
    if (head.kind !== kind) throw failure(`"${head.kind}" comes instead of "${kind}"`);
    const pieces: Uint8Array[] = [];
    const fds: number[] = [];
    const bytes = head.columns.reduce((sum, [, length]) => sum + length, head.text);
    try {
      for (let left = countMessages(bytes, head.fds); left > 0; left--) {
        const message = this.#receiveOne();
        pieces.push(message.bytes);
        fds.push(...message.fds);
      }
      // The kernel leaves out those for which there is no room.
      if (fds.length < head.fds) throw failure("this process may have no more descriptors (ulimit -n)");
    } catch (error) {
      fds.forEach(closeFd); // nobody else knows them
      throw error;
    }
    const body = joinBytes(pieces);
    let at = head.text;
    const columns = head.columns.map(([kind, length]) => {
      const own = body.slice(at, at += length).buffer;
      return makeColumn(kind, own);
    });
    return { kind, text: new TextDecoder().decode(body.subarray(0, head.text)), columns, fds };
  }

  /** Resolves when the other end has gone; nothing is expected of it any more. */
  async gone(): Promise<void> {
    while (!this.#closed && await this.#isReady(Infinity)) {
      const message = this.#memory.receive(this.#fd);
      if (message === null || typeof message === "number") return;
    }
  }

  /** Closes it: the other end sees that. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    shutdownSocket(this.#fd, SHUT_RDWR); // it ends a wait too
    const close = () => void closeFd(this.#fd);
    if (this.#waiting === undefined) close();
    else this.#waiting.then(close, close);
  }

  async #isReady(patienceMs: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    this.#waiting ??= this.#wait();
    const late = new Promise<boolean>((resolve) => {
      if (patienceMs !== Infinity) timer = setTimeout(() => resolve(false), patienceMs);
    });
    try {
      return await Promise.race([this.#waiting, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #wait(): Promise<boolean> {
    const set = new PollSet(1);
    set.set(0, this.#fd, POLLIN);
    const isReady = await set.waitElsewhere();
    this.#waiting = undefined;
    return isReady;
  }

  #readHead(): Head {
    const { bytes } = this.#receiveOne();
    const head = JSON.parse(new TextDecoder().decode(bytes)) as Head;
    const sum = head.columns.reduce((sum, [, length]) => sum + length, head.text);
    if (sum > LONGEST_BODY) throw failure("it is too much");
    return head;
  }

  #receiveOne(): SequenceMessage {
    const message = this.#closed ? null : this.#memory.receive(this.#fd);
    if (message === null) throw failure("the other one has gone");
    if (typeof message === "number") throw failure(errnoCode(-message));
    return message;
  }

  #sendOne(bytes: Uint8Array, fds: readonly number[]): void {
    const sent = this.#closed ? -1 : this.#memory.send(this.#fd, bytes, fds);
    if (sent < 0) {
      throw failure(this.#closed ? "it is over" : `the other one takes nothing: ${errnoCode(-sent)}`);
    }
  }
}

/** Counts the messages behind the first one of a parcel. */
function countMessages(bytes: number, descriptors: number): number {
  return Math.max(Math.ceil(bytes / MOST_BYTES), Math.ceil(descriptors / MOST_DESCRIPTORS));
}

function kindOf(column: Column): ColumnKind {
  if (column instanceof Int32Array) return "i32";
  return column instanceof Float64Array ? "f64" : "u8";
}

function makeColumn(kind: ColumnKind, bytes: ArrayBuffer): Column {
  switch (kind) {
    case "i32":
      return new Int32Array(bytes);
    case "f64":
      return new Float64Array(bytes);
    case "u8":
      return new Uint8Array(bytes);
    default:
      throw failure(`no column: ${kind satisfies never}`);
  }
}

function bytesOf(column: Column): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}

function failure(reason: string): OperationError {
  return new OperationError({ operation: "hand over", object: "the proxy", reason });
}
