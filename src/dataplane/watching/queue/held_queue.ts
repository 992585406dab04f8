/**
 * Packets that a queue of NFQUEUE holds: they stay in the kernel, with their way, their NAT and what it has
 * joined, until they have a verdict. When the process ends the kernel drops those that have none, and their
 * clients send them again.
 * @module
 */
import { EINTR, ENOBUFS } from "../../../../ffi/consts.ts";
import { ReceiveBatch } from "../../../../ffi/sockets/receive_batch.ts";
import { send, sendWaiting } from "../../../../ffi/sockets/socket.ts";
import type { QueueSocket } from "../../orders.ts";
import type { Resender } from "../resender.ts";
import type { Segment } from "../segment.ts";
import type { Way } from "../way.ts";
import { QueueMessage } from "./queue_message.ts";
import { LONGEST_VERDICT, NF_ACCEPT, NF_DROP, VerdictWriter } from "./verdict.ts";

/** Messages that are taken with one call. */
const BATCH = 16;
/** One that is dropped after all may have two. */
const MOST_VERDICTS = 2 * BATCH;
/** The longest packet, and what the kernel tells besides. */
const MESSAGE_SIZE = 65536 + 1024;

/** Packets of a queue, one after another, and the way of the one at hand. */
export class HeldQueue implements Way {
  /** The packet at hand, and the memory that its copy lies in. */
  readonly message: QueueMessage = new QueueMessage();
  readonly memory: ReceiveBatch = new ReceiveBatch(BATCH, MESSAGE_SIZE);
  readonly #fd: number;
  readonly #resender: Resender;
  readonly #channel: number;
  readonly #verdicts: VerdictWriter;
  /** Verdicts that are not sent yet, one after another. */
  readonly #waiting = new Uint8Array(MOST_VERDICTS * LONGEST_VERDICT);
  #waits = 0;
  #count = 0;
  #at = 0;

  /** The sockets are the caller's to close. `resender`: for resets. */
  constructor({ number, fd, channel }: QueueSocket, resender: Resender) {
    this.#fd = fd;
    this.#channel = channel;
    this.#resender = resender;
    this.#verdicts = new VerdictWriter(number);
  }

  /** Takes messages from the kernel. Their number, or -errno. */
  receive(): number {
    const received = this.memory.receive(this.#fd, 0);
    this.#count = Math.max(received, 0);
    this.#at = -1;
    return received === -ENOBUFS || received === -EINTR ? 0 : received;
  }

  /** Goes on to the next packet of those that were taken; false: there is none. */
  next(): boolean {
    const { memory, message } = this;
    while (++this.#at < this.#count) {
      const begin = memory.dataOffset(this.#at);
      if (message.read(memory.bytes, begin, begin + memory.length(this.#at))) return true;
    }
    return false;
  }

  /** The lower half of the address at which the packet's copy begins. */
  get low(): number {
    return (this.memory.dataLow(this.#at) + this.message.payload - this.memory.dataOffset(this.#at)) | 0;
  }

  /** See {@linkcode Way}. */
  pass(): number {
    return this.#decide(NF_ACCEPT, false);
  }

  /** See {@linkcode Way}. */
  release(): number {
    return this.#decide(NF_ACCEPT, true);
  }

  /** See {@linkcode Way}. */
  refuse(segment: Segment): number {
    const refused = this.#resender.refuse(segment);
    return Math.min(this.drop(), refused);
  }

  /** See {@linkcode Way}. */
  drop(): number {
    return this.#decide(NF_DROP, false);
  }

  /** See {@linkcode Way}. */
  resetServer(segment: Segment, next: number): number {
    return this.#resender.resetServer(segment, next);
  }

  /**
   * Sends the verdicts, after the last packet of those that were taken. 0 or -errno. It waits where somebody
   * else sends them and has no room: a packet whose verdict is lost would be held for ever.
   */
  flush(): number {
    const length = this.#waits;
    if (length === 0) return 0;
    this.#waits = 0;
    const returned = this.#channel < 0
      ? send(this.#fd, this.#waiting, length)
      : sendWaiting(this.#channel, this.#waiting, length);
    return Math.min(returned, 0);
  }

  #decide(verdict: number, release: boolean): number {
    const length = this.#verdicts.write(this.message.id, verdict, release);
    const { bytes } = this.#verdicts;
    for (let i = 0; i < length; i++) this.#waiting[this.#waits + i] = bytes[i];
    this.#waits += length;
    return 0;
  }
}
