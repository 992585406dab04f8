/**
 * Reads questions from a worker's NFLOG group: many with one system call.
 * @module
 */
import { EINTR, ENOBUFS } from "../../../ffi/consts.ts";
import { ReceiveBatch } from "../../../ffi/sockets/receive_batch.ts";
import { QUESTION_PREFIX } from "../../constants.ts";
import { readFirstPacket } from "./packet/first_packet.ts";
import { LogMessage } from "./packet/log_message.ts";
import { Question } from "./question.ts";
import { Translated } from "./packet/translated.ts";

/** Messages that are taken with one call. */
const BATCH = 16;
/** The longest datagram, and what the kernel tells besides. */
const MESSAGE_SIZE = 65536 + 1024;

const TRANSLATED = QUESTION_PREFIX.translated.charCodeAt(0);
const RESTORED = QUESTION_PREFIX.restored.charCodeAt(0);

/** The reader. */
export class QuestionReader {
  readonly question: Question = new Question();
  /** Questions that the kernel had no room for, so far. */
  lost = 0;
  readonly #fd: number;
  readonly #batch = new ReceiveBatch(BATCH, MESSAGE_SIZE);
  readonly #log = new LogMessage();
  readonly #translated = new Translated();
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
    let received = this.#batch.receive(this.#fd, 0);
    if (received === -ENOBUFS || received === -EINTR) received = 0; // gaps tell what was lost
    this.#count = Math.max(received, 0);
    this.#datagram = -1;
    this.#at = 0;
    return received;
  }

  /** Reads the next question of those that were taken; false: there is none. */
  next(): boolean {
    const { question } = this;
    const batch = this.#batch;
    const log = this.#log;
    for (;;) {
      if (this.#datagram < 0 || this.#at >= this.#end()) {
        if (++this.#datagram >= this.#count) {
          this.#datagram = this.#count = 0;
          this.#at = this.#end();
          return false;
        }
        this.#at = batch.dataOffset(this.#datagram);
      }
      this.#at = log.read(batch.bytes, this.#at, this.#end());
      if (log.prefix === 0) continue;
      this.#notice(log.sequence);
      if (!readFirstPacket(question, batch, log)) continue;
      if (log.prefix === TRANSLATED) this.#translated.keep(question);
      else if (log.prefix !== RESTORED || this.#translated.join(question)) {
        question.high = batch.high;
        question.low = (batch.dataLow(this.#datagram) + question.offset -
          batch.dataOffset(this.#datagram)) | 0;
        return true;
      }
    }
  }

  #end(): number {
    return this.#datagram < this.#count
      ? this.#batch.dataOffset(this.#datagram) + this.#batch.length(this.#datagram)
      : 0;
  }

  #notice(sequence: number): void {
    if (sequence === -1) return;
    if (this.#sequence !== -1) this.lost += (sequence - this.#sequence) >>> 0;
    this.#sequence = (sequence + 1) | 0;
  }
}
