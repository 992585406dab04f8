/**
 * Reads questions from a worker's NFLOG group.
 * @module
 */
import { QUESTION_PREFIX } from "../../constants.ts";
import { LogReader } from "./log_reader.ts";
import { readFirstPacket } from "./packet/first_packet.ts";
import { Translated } from "./packet/translated.ts";
import { Question } from "./question.ts";

const TRANSLATED = QUESTION_PREFIX.translated.charCodeAt(0);
const RESTORED = QUESTION_PREFIX.restored.charCodeAt(0);

/** The reader. */
export class QuestionReader {
  readonly question: Question = new Question();
  readonly #log: LogReader;
  readonly #translated = new Translated();

  /** `fd`: the netlink socket; it is the caller's to close. */
  constructor(fd: number) {
    this.#log = new LogReader(fd);
  }

  /** Questions that the kernel had no room for, so far. */
  get lost(): number {
    return this.#log.lost;
  }

  /** Takes messages from the kernel. Their number, or -errno. */
  receive(): number {
    return this.#log.receive();
  }

  /** Reads the next question of those that were taken; false: there is none. */
  next(): boolean {
    const { question } = this;
    const { memory, message } = this.#log;
    while (this.#log.next()) {
      if (!readFirstPacket(question, memory, message)) continue;
      // By then the answer has the mark of the packet, which was told before.
      question.flowMark = message.prefix === RESTORED ? message.mark : 0;
      if (message.prefix === TRANSLATED) this.#translated.keep(question);
      else if (message.prefix !== RESTORED || this.#translated.join(question)) {
        question.high = memory.high;
        question.low = this.#log.lowOf(question.offset);
        return true;
      }
    }
    return false;
  }
}
