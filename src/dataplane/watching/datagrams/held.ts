/**
 * Datagrams that wait for the name of their flow, in memory that does not move: they are sent on from there.
 * @module
 */
import { IPPROTO_UDP } from "../../../../ffi/consts.ts";
import { PinnedMemory } from "../../../../ffi/memory.ts";
import { Answer, ANSWER_WORDS } from "../../asking/answer.ts";
import type { Question, RoutedPacket } from "../../asking/question.ts";

/** Of all flows of a worker. */
const MOST_HELD = 1024;
/** The longest that waits. */
const LONGEST = 2048;
/** Of one flow. */
const MOST_OF_FLOW = 16;

/** The datagrams of a flow, in the order in which they came. */
export interface Waiting {
  readonly slots: number[];
}

/** A worker's datagrams. */
export class Held {
  readonly #memory = new PinnedMemory(MOST_HELD * LONGEST);
  readonly #free = Array.from({ length: MOST_HELD }, (_, slot) => slot);
  readonly #lengths = new Uint16Array(MOST_HELD);
  readonly #headers = new Uint16Array(MOST_HELD);
  readonly #answers = new Int32Array(MOST_HELD * ANSWER_WORDS);
  readonly #packet: { -readonly [Key in keyof RoutedPacket]: RoutedPacket[Key] };

  constructor() {
    const { bytes, low, high } = this.#memory;
    this.#packet = {
      protocol: IPPROTO_UDP,
      addresses: new Int32Array(0),
      bytes,
      offset: 0,
      low,
      high,
      length: 0,
      header: 0,
      answer: new Answer(),
    };
  }

  /** Has a datagram wait. False: there is no room for it. */
  add({ slots }: Waiting, { bytes, offset, length, header, answer }: Question): boolean {
    if (length > LONGEST || slots.length === MOST_OF_FLOW || this.#free.length === 0) return false;
    const slot = this.#free.pop()!;
    const to = slot * LONGEST;
    for (let i = 0; i < length; i++) this.#memory.bytes[to + i] = bytes[offset + i];
    this.#lengths[slot] = length;
    this.#headers[slot] = header;
    answer.write(this.#answers, slot * ANSWER_WORDS);
    slots.push(slot);
    return true;
  }

  /** Returns one that waits, until the next is asked for. Its flow is that of the addresses. */
  packet(slot: number, addresses: Int32Array): RoutedPacket {
    const packet = this.#packet;
    packet.addresses = addresses;
    packet.offset = slot * LONGEST;
    packet.low = (this.#memory.low + packet.offset) | 0;
    packet.length = this.#lengths[slot];
    packet.header = this.#headers[slot];
    packet.answer.read(this.#answers, slot * ANSWER_WORDS);
    return packet;
  }

  /** Forgets all of a flow. */
  clear({ slots }: Waiting): void {
    this.#free.push(...slots);
    slots.length = 0;
  }
}
