/**
 * Datagrams that wait: for the name of their flow, or for an upstream. They go on in the order in which they
 * came. A datagram that waits is copied, the only one that ever is.
 * @module
 */
import type { ReceiveBatch } from "../../../../ffi/sockets/receive_batch.ts";
import { copyAddress } from "../../shared/addresses.ts";
import { ADDRESS_WORDS } from "../../shared/columns.ts";

/** Of one queue. */
export const MOST_HELD = 16;
const MOST_BYTES = 24 * 1024;
/** Of all queues of a worker. */
const ALL_BYTES = 4 * 1024 * 1024;

/** Place of the destination in {@linkcode HeldDatagram.words}; the client's is 0. */
export const HELD_DESTINATION = ADDRESS_WORDS;

/** A datagram as the uplink has met it. */
export interface Arrival {
  readonly batch: ReceiveBatch;
  /** Its place in the batch. */
  readonly i: number;
  /** Place of its destination in the batch's words. */
  readonly destination: number;
  readonly tos: number;
  /** The length of its parts where the kernel has joined several, else 0. */
  readonly segmentSize: number;
}

/** One that waits. */
export interface HeldDatagram {
  /** The client and the destination, each a struct sockaddr. */
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly tos: number;
  readonly segmentSize: number;
}

/** The bytes that wait in all queues of a worker. */
export class HeldBytes {
  count = 0;
}

/** A queue. */
export class HeldQueue {
  readonly datagrams: HeldDatagram[] = [];
  readonly #all: HeldBytes;
  #bytes = 0;

  constructor(all: HeldBytes) {
    this.#all = all;
  }

  /** Has a datagram wait; false: there is no room for it. */
  add({ batch, i, destination, tos, segmentSize }: Arrival): boolean {
    const length = batch.length(i);
    if (
      this.datagrams.length === MOST_HELD || this.#bytes + length > MOST_BYTES ||
      this.#all.count + length > ALL_BYTES
    ) return false;
    const words = new Int32Array(2 * ADDRESS_WORDS);
    copyAddress(batch.words, batch.name(i), words, 0);
    copyAddress(batch.words, destination, words, HELD_DESTINATION);
    const at = batch.dataOffset(i);
    this.datagrams.push({ words, bytes: batch.bytes.slice(at, at + length), tos, segmentSize });
    this.#bytes += length;
    this.#all.count += length;
    return true;
  }

  /** Makes those of datagrams that have waited in another process, whose bytes count there. */
  static of(datagrams: readonly HeldDatagram[]): HeldQueue[] {
    const queues: HeldQueue[] = [];
    for (let i = 0; i < datagrams.length; i += MOST_HELD) {
      const queue = new HeldQueue(new HeldBytes());
      queue.datagrams.push(...datagrams.slice(i, i + MOST_HELD));
      queues.push(queue);
    }
    return queues;
  }

  /** Forgets all, and returns it. */
  take(): HeldDatagram[] {
    const taken = [...this.datagrams];
    this.clear();
    return taken;
  }

  /** Forgets all. */
  clear(): void {
    this.#all.count -= this.#bytes;
    this.#bytes = 0;
    this.datagrams.length = 0;
  }
}
