/**
 * The SYNs of clients whose server has not answered yet, or who have not been accepted yet: each is kept, to
 * be sent on when it is known what becomes of it. Nothing is allocated for a SYN.
 * @module
 */
import { IPPROTO_TCP } from "../../../ffi/consts.ts";
import { PinnedMemory } from "../../../ffi/memory.ts";
import { FlowPlaces, KEY_WORDS } from "../flows/flow_places.ts";
import type { Injector } from "./injector.ts";
import { goneAfter } from "./patience.ts";
import { ASKED_CLIENT, type HeldPacket, type Question } from "./question.ts";
import { Shares } from "./shares.ts";

/** SYNs that a worker keeps at most. */
export const MOST_HELD_SYNS = 4096;
/** Headers of IPv6 and TCP with all options are 100 bytes. */
const SYN_SIZE = 104;

/** A SYN that is sent once more. */
class HeldSyn implements HeldPacket {
  readonly protocol = IPPROTO_TCP;
  readonly addresses = new Int32Array(KEY_WORDS);
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly high: number;
  offset = 0;
  low = 0;
  length = 0;
  header = 0;

  constructor({ bytes, high }: PinnedMemory) {
    this.bytes = bytes;
    this.high = high;
  }
}

/** The SYNs of a worker. Each has a place, a number. */
export class HeldSyns {
  readonly #injector: Injector;
  readonly #memory = new PinnedMemory(MOST_HELD_SYNS * SYN_SIZE);
  readonly #syn = new HeldSyn(this.#memory);
  readonly #places = new FlowPlaces(MOST_HELD_SYNS);
  readonly #lengths = new Uint8Array(MOST_HELD_SYNS);
  readonly #headers = new Uint8Array(MOST_HELD_SYNS);
  readonly #sequences = new Int32Array(MOST_HELD_SYNS);
  /** The session, and when the client was heard last and for how long before. */
  readonly #slots = new Int32Array(MOST_HELD_SYNS);
  readonly #ticks = new Int32Array(MOST_HELD_SYNS);
  readonly #gaps = new Int32Array(MOST_HELD_SYNS);
  readonly #shares = new Shares(MOST_HELD_SYNS);

  constructor(injector: Injector) {
    this.#injector = injector;
  }

  /** The number of SYNs. */
  get size(): number {
    return this.#shares.size;
  }

  /** The place of the SYN with these addresses, as a Question has them; -1: there is none. */
  find(addresses: Int32Array): number {
    return this.#places.find(addresses);
  }

  /** Keeps the SYN of a new question; `slot`: of its session. Its place, -1: there is no room. */
  hold(question: Question, slot: number, tick: number): number {
    const place = this.#places.add(question.addresses);
    if (place < 0) return place;
    this.#slots[place] = slot;
    this.#ticks[place] = tick;
    this.#gaps[place] = 0;
    this.#copy(question, place);
    this.#shares.add(place, question.addresses, ASKED_CLIENT);
    return place;
  }

  /** Takes note that a client has sent its SYN again, or another one for the same flow. */
  repeat(place: number, question: Question, tick: number): void {
    this.#gaps[place] = tick - this.#ticks[place];
    this.#ticks[place] = tick;
    this.#copy(question, place);
  }

  /** The session of a SYN. */
  slotOf(place: number): number {
    return this.#slots[place];
  }

  /** The sequence number of a SYN, the newest of its flow. */
  sequenceOf(place: number): number {
    return this.#sequences[place];
  }

  /** The tick from which on the client is taken for gone, unless it repeats its SYN before. */
  goneTick(place: number): number {
    return this.#ticks[place] + goneAfter(this.#gaps[place]);
  }

  /** Sends the SYN on with a verdict; see {@linkcode Injector.tell}. */
  tell(place: number, verdict: number): number {
    return this.#injector.tell(this.#load(place), verdict);
  }

  /** Keeps it no longer. */
  release(place: number): void {
    this.#shares.remove(place, this.#places.keys, place * KEY_WORDS + ASKED_CLIENT);
    this.#places.remove(place);
  }

  /** The SYN that should make room for another, -1: there is none. */
  victim(): number {
    return this.#shares.victim();
  }

  /** The oldest SYN of the client of these addresses, if it has as many as `most`; -1: it has not. */
  surplusOf(addresses: Int32Array, most: number): number {
    return this.#shares.surplusOf(addresses, ASKED_CLIENT, most);
  }

  #copy({ bytes, offset, length, header, sequence }: Question, place: number): void {
    const own = this.#memory.bytes;
    const at = place * SYN_SIZE;
    for (let i = 0; i < length; i++) own[at + i] = bytes[offset + i];
    this.#lengths[place] = length;
    this.#headers[place] = header;
    this.#sequences[place] = sequence;
  }

  #load(place: number): HeldSyn {
    const syn = this.#syn;
    const at = place * KEY_WORDS;
    for (let word = 0; word < KEY_WORDS; word++) syn.addresses[word] = this.#places.keys[at + word];
    syn.offset = place * SYN_SIZE;
    syn.low = (this.#memory.low + syn.offset) | 0;
    syn.length = this.#lengths[place];
    syn.header = this.#headers[place];
    return syn;
  }
}
