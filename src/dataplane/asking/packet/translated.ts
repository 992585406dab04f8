/**
 * Joins the two messages about a packet of IPv6 that NAT has changed: the packet as it would have left, then
 * with its original addresses. They come one after the other, but for what other processors log in between.
 * Pure, and without allocation.
 * @module
 */
import { ANSWER_WORDS } from "../answer.ts";
import type { Question } from "../question.ts";

/** First halves that wait at most. */
const PLACES = 16;
// A place: what tells the packet from others, then the answer.
const KEY_WORDS = 4;
const PLACE_WORDS = KEY_WORDS + ANSWER_WORDS;

/** The first halves of late. */
export class Translated {
  readonly #words = new Int32Array(PLACES * PLACE_WORDS);
  readonly #key = new Int32Array(KEY_WORDS);
  #next = 0;

  /** Keeps the answer of a packet as it would have left. */
  keep(question: Question): void {
    const at = this.#next * PLACE_WORDS;
    this.#next = (this.#next + 1) % PLACES;
    this.#load(question);
    for (let word = 0; word < KEY_WORDS; word++) this.#words[at + word] = this.#key[word];
    question.answer.write(this.#words, at + KEY_WORDS);
  }

  /** Completes the answer of a packet with original addresses; false: its first half is missing. */
  join(question: Question): boolean {
    this.#load(question);
    for (let back = 1; back <= PLACES; back++) {
      const at = ((this.#next - back + PLACES) % PLACES) * PLACE_WORDS;
      if (!this.#isKey(at)) continue;
      question.answer.read(this.#words, at + KEY_WORDS);
      this.#words[at] = 0;
      return true;
    }
    return false;
  }

  #isKey(at: number): boolean {
    for (let word = 0; word < KEY_WORDS; word++) if (this.#words[at + word] !== this.#key[word]) return false;
    return true;
  }

  #load({ protocol, length, sequence, answer, bytes, data, dataLength }: Question): void {
    const key = this.#key;
    key[0] = (protocol << 16) | length;
    key[1] = answer.oif;
    key[2] = answer.iif;
    key[3] = sequence;
    // UDP has no number: the beginning of its data.
    for (let i = 0; i < dataLength && i < 8; i++) key[3] = (Math.imul(key[3], 31) + bytes[data + i]) | 0;
  }
}
