/**
 * Reads the messages of an NFLOG group: many with one system call.
 * @module
 */
import { EINTR, ENOBUFS } from "../../../ffi/consts.ts";
import { ReceiveBatch } from "../../../ffi/sockets/receive_batch.ts";
import { LogMessage } from "./packet/log_message.ts";

/** Messages that are taken with one call. */
const BATCH = 16;
/** The longest datagram, and what the kernel tells besides. */
const MESSAGE_SIZE = 65536 + 1024;

/** The reader. */
export class LogReader {
  /** The message at hand, and the memory that it lies in. */
  readonly message: LogMessage = new LogMessage();
  readonly memory: ReceiveBatch = new ReceiveBatch(BATCH, MESSAGE_SIZE);
  /** Messages that the kernel had no room for, so far. */
  lost = 0;
  readonly #fd: number;
  #count = 0;
  /** The datagram that is being read, and where in it. */
  #datagram = 0;
  #at = 0;
  /** The number of the next message; -1: not known yet, another thread may have read before. */
  #sequence = -1;

  /** `fd`: the netlink socket; it is the caller's to close. */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Takes messages from the kernel. Their number, or -errno. */
  receive(): number {
    let received = this.memory.receive(this.#fd, 0);
    if (received === -ENOBUFS || received === -EINTR) received = 0; // gaps tell what was lost
    this.#count = Math.max(received, 0);
    this.#datagram = -1;
    this.#at = 0;
    return received;
  }

  /** Reads the next message with a packet of those that were taken; false: there is none. */
  next(): boolean {
    const { memory, message } = this;
    for (;;) {
      if (this.#datagram < 0 || this.#at >= this.#end()) {
        if (++this.#datagram >= this.#count) {
          this.#datagram = this.#count = 0;
          this.#at = this.#end();
          return false;
        }
        this.#at = memory.dataOffset(this.#datagram);
      }
      this.#at = message.read(memory.bytes, this.#at, this.#end());
      if (message.prefix === 0) continue;
      this.#notice(message.sequence);
      return true;
    }
  }

  /** The lower half of the address of a byte of the message; `offset`: its place in the memory. */
  lowOf(offset: number): number {
    return (this.memory.dataLow(this.#datagram) + offset - this.memory.dataOffset(this.#datagram)) | 0;
  }

  #end(): number {
    return this.#datagram < this.#count
      ? this.memory.dataOffset(this.#datagram) + this.memory.length(this.#datagram)
      : 0;
  }

  #notice(sequence: number): void {
    if (sequence === -1) return;
    if (this.#sequence !== -1) this.lost += (sequence - this.#sequence) >>> 0;
    this.#sequence = (sequence + 1) | 0;
  }
}
