/**
 * Answers that wait for the flow that they are about: a worker is asked, and perhaps another one is given the
 * flow. Bounded; in shared memory, so that any worker may take them. An answer that nobody takes for a second
 * makes room for another; before, its datagram may be on its way, and would go where the router sends none.
 * @module
 */
import { type Answer, ANSWER_WORDS } from "../asking/answer.ts";
import { copyAddress, mixIp, mixWord, sameAddress } from "./addresses.ts";
import { ADDRESS_WORDS } from "./columns.ts";

/** Places of a group. */
const WAYS = 4;
/**
 * Groups of so many places, powers of two: near ones, and far ones for a crowd, whose memory the kernel
 * provides when it is used first.
 */
const NEAR_GROUPS = 64;
const FAR_GROUPS = 1024;
/** Groups in which an answer with one key may lie: a near one, two far ones. */
const CHOICES = 3;

/** An answer that was put in so many ticks ago, of 100 ms, is not waited for any more. */
const YOUNG_TICKS = 10;

// A place: its state, when it was put in, two struct sockaddr, an answer.
const PUT_TICK = 1;
const CLIENT = 2;
const DESTINATION = CLIENT + ADDRESS_WORDS;
const ANSWER = DESTINATION + ADDRESS_WORDS;
const PLACE_WORDS = ANSWER + ANSWER_WORDS;

// The lower bits of a state; the upper ones count, so that no two uses of a place look alike.
const EMPTY = 0;
const FULL = 1;
const BUSY = 2;
const STATUS = 3;
const NEXT_USE = 4;

// Words before the places: a seed, the number of answers that were put so far, how many wait, and how many of
// these in far groups.
const SEED = 0;
const PUT = 1;
const WAITING = 2;
const WAITING_FAR = 3;
const NEAR_AT = 16;
const GROUP_WORDS = WAYS * PLACE_WORDS;
const FAR_AT = NEAR_AT + NEAR_GROUPS * GROUP_WORDS;

/** The words of shared memory that it takes. */
export const WAITING_ROOM_WORDS = FAR_AT + FAR_GROUPS * GROUP_WORDS;

/** Makes the words ready, before another thread looks at them. */
export function prepareWaitingRoom(words: Int32Array): void {
  words[SEED] = crypto.getRandomValues(new Int32Array(1))[0];
}

/** The room. Addresses are given as struct sockaddr in words. Make one for each thread. */
export class WaitingRoom {
  readonly #words: Int32Array<SharedArrayBuffer>;

  constructor(words: Int32Array<SharedArrayBuffer>) {
    this.#words = words;
  }

  /** Tells whether any answer waits: for most packets, that none does is all that there is to know. */
  get isEmpty(): boolean {
    return Atomics.load(this.#words, WAITING) === 0;
  }

  /**
   * Puts an answer in; one with the same addresses goes. False: there is no place for it. `tick`: all threads
   * count them alike.
   */
  put(words: Int32Array, client: number, destination: number, answer: Answer, tick: number): boolean {
    const all = this.#words;
    const hash = this.#hash(words, client, destination);
    let place = this.#find(hash, words, client, destination);
    if (place < 0) place = this.#seizeOne(hash, tick);
    if (place < 0) return false;
    all[place + PUT_TICK] = tick;
    copyAddress(words, client, all, place + CLIENT);
    copyAddress(words, destination, all, place + DESTINATION);
    answer.write(all, place + ANSWER);
    this.#leave(place, FULL);
    return true;
  }

  /** Takes an answer out, and copies it; false: there is none. */
  take(words: Int32Array, client: number, destination: number, answer: Answer): boolean {
    const place = this.#find(this.#hash(words, client, destination), words, client, destination);
    if (place < 0) return false;
    answer.read(this.#words, place + ANSWER);
    this.#count(place, -1);
    this.#leave(place, EMPTY);
    return true;
  }

  /** Copies an answer, which goes on waiting; false: there is none. */
  look(words: Int32Array, client: number, destination: number, answer: Answer): boolean {
    const place = this.#find(this.#hash(words, client, destination), words, client, destination);
    if (place < 0) return false;
    answer.read(this.#words, place + ANSWER);
    this.#leave(place, FULL);
    return true;
  }

  /** Seizes a place for an answer, which is counted; negative: all are written just now, or young. */
  #seizeOne(hash: number, tick: number): number {
    const first = Atomics.add(this.#words, PUT, 1) >>> 0; // not always the same place makes room
    for (const wanted of [EMPTY, FULL]) {
      for (let i = 0; i < CHOICES * WAYS; i++) {
        const choice = wanted === EMPTY ? Math.floor(i / WAYS) : (first + i) % CHOICES;
        const place = groupOf(hash, choice) + ((first + i) & (WAYS - 1)) * PLACE_WORDS;
        const state = Atomics.load(this.#words, place);
        if ((state & STATUS) !== wanted || (wanted === FULL && this.#isYoung(place, tick))) continue;
        if (!this.#seize(place, state)) continue;
        if (wanted === EMPTY) this.#count(place, 1);
        return place;
      }
    }
    return -1;
  }

  #isYoung(place: number, tick: number): boolean {
    return Math.abs((tick - this.#words[place + PUT_TICK]) | 0) < YOUNG_TICKS; // clocks may differ by one
  }

  /** Finds and seizes the place of an answer; negative: it is not there. */
  #find(hash: number, words: Int32Array, client: number, destination: number): number {
    let place = this.#findIn(groupOf(hash, 0), words, client, destination);
    if (place >= 0 || Atomics.load(this.#words, WAITING_FAR) === 0) return place;
    place = this.#findIn(groupOf(hash, 1), words, client, destination);
    return place >= 0 ? place : this.#findIn(groupOf(hash, 2), words, client, destination);
  }

  #findIn(group: number, words: Int32Array, client: number, destination: number): number {
    const all = this.#words;
    for (let i = 0; i < WAYS; i++) {
      const place = group + i * PLACE_WORDS;
      const state = Atomics.load(all, place);
      if ((state & STATUS) !== FULL) continue;
      // Read before it is ours: that it was whole is known when it could be seized in that state.
      if (!sameAddress(words, client, all, place + CLIENT)) continue;
      if (!sameAddress(words, destination, all, place + DESTINATION)) continue;
      if (this.#seize(place, state)) return place;
    }
    return -1;
  }

  #count(place: number, change: 1 | -1): void {
    Atomics.add(this.#words, WAITING, change);
    if (place >= FAR_AT) Atomics.add(this.#words, WAITING_FAR, change);
  }

  #seize(place: number, state: number): boolean {
    return Atomics.compareExchange(this.#words, place, state, (state & ~STATUS) | BUSY) === state;
  }

  #leave(place: number, status: number): void {
    Atomics.store(this.#words, place, (((this.#words[place] & ~STATUS) + NEXT_USE) | status) | 0);
  }

  #hash(words: Int32Array, client: number, destination: number): number {
    const hash = mix(mix(this.#words[SEED], words, client), words, destination);
    return hash ^ (hash >>> 16);
  }
}

/** Finds a group by an answer's key: the near one, or one of two far ones. */
function groupOf(hash: number, choice: number): number {
  if (choice === 0) return NEAR_AT + (hash & (NEAR_GROUPS - 1)) * GROUP_WORDS;
  return FAR_AT + ((hash >>> (choice === 1 ? 6 : 16)) & (FAR_GROUPS - 1)) * GROUP_WORDS;
}

function mix(hash: number, words: Int32Array, at: number): number {
  return mixIp(mixWord(hash, words[at]), words, at); // family and port
}
