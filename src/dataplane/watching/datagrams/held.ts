/**
 * Datagrams that wait for the name of their flow, in memory that does not move: they are sent on from there.
 * Where it is used up, a flow of the client with most makes room.
 * @module
 */
import { IPPROTO_UDP } from "../../../../ffi/consts.ts";
import { PinnedMemory } from "../../../../ffi/memory.ts";
import { Answer, ANSWER_WORDS } from "../../asking/answer.ts";
import type { Question, RoutedPacket } from "../../asking/question.ts";
import { Shares } from "../../asking/shares.ts";
import { CLIENT, type KnownFlow } from "./known_flow.ts";

/** Of all flows of a worker. */
export const MOST_HELD = 1024;
/** The longest that waits. */
const LONGEST = 2048;
/** Of one flow. */
export const MOST_OF_FLOW = 16;

/** The datagrams of a flow, in the order in which they came. */
export interface Waiting {
  readonly known: KnownFlow;
  readonly slots: number[];
}

/** A worker's datagrams. */
export class Held<W extends Waiting> {
  readonly #memory = new PinnedMemory(MOST_HELD * LONGEST);
  readonly #free = Array.from({ length: MOST_HELD }, (_, slot) => slot);
  readonly #shares = new Shares(MOST_HELD);
  /** By slot: the flow that it is of. */
  readonly #flows: (W | undefined)[] = new Array(MOST_HELD).fill(undefined);
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

  /** Tells whether all memory is used up: a flow has to make room before anything is added. */
  get isFull(): boolean {
    return this.#free.length === 0;
  }

  /** The flow that should make room for others' datagrams. It has to be cleared. */
  victim(): W {
    return this.#flows[this.#shares.victim()]!;
  }

  /** Tells whether a datagram may wait: its flow has not too many, and it is not too long. */
  takes({ slots }: W, { length }: Question): boolean {
    return length <= LONGEST && slots.length < MOST_OF_FLOW;
  }

  /** Has a datagram wait that may, and for which there is room. */
  add(flow: W, { bytes, offset, length, header, answer }: Question): void {
    const slot = this.#free.pop()!;
    const to = slot * LONGEST;
    for (let i = 0; i < length; i++) this.#memory.bytes[to + i] = bytes[offset + i];
    this.#lengths[slot] = length;
    this.#headers[slot] = header;
    answer.write(this.#answers, slot * ANSWER_WORDS);
    this.#flows[slot] = flow;
    this.#shares.add(slot, flow.known.ends, CLIENT);
    flow.slots.push(slot);
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
  clear({ known, slots }: W): void {
    for (const slot of slots) {
      this.#shares.remove(slot, known.ends, CLIENT);
      this.#flows[slot] = undefined;
      this.#free.push(slot);
    }
    slots.length = 0;
  }
}
