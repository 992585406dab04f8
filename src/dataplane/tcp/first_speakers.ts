/**
 * Servers that have spoken before their client: it is no use to wait for what that might say. Only the server
 * itself can bring itself in. Without allocation.
 * @module
 */
import { AF_INET } from "../../../ffi/consts.ts";
import type { Clock } from "../loop/clock.ts";
import { ticks } from "../loop/wheel.ts";
import { mixWord } from "../shared/addresses.ts";
import { DESTINATION, type Session } from "./session.ts";

/** Servers that are remembered; a power of two. */
const PLACES = 4096;
/** Family and port, and the address. */
const WORDS = 5;
const KNOWN_TICKS = ticks(10 * 60_000);

/** A worker's memory. */
export class FirstSpeakers {
  readonly #clock: Clock;
  readonly #keys = new Int32Array(PLACES * WORDS);
  readonly #ticks = new Float64Array(PLACES);
  readonly #key = new Int32Array(WORDS);
  readonly #seed = (Math.random() * 0x100000000) | 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Tells whether the destination of a session is one. */
  has(session: Session): boolean {
    const place = this.#find(session);
    return this.#isThere(place) && this.#clock.tick - this.#ticks[place] < KNOWN_TICKS;
  }

  /** Remembers that the destination of a session has spoken first, or forgets it, since its client has. */
  note(session: Session, isFirst: boolean): void {
    const place = this.#find(session);
    if (isFirst) {
      for (let word = 0; word < WORDS; word++) this.#keys[place * WORDS + word] = this.#key[word];
      this.#ticks[place] = this.#clock.tick;
    } else if (this.#isThere(place)) this.#ticks[place] = -Infinity;
  }

  /** The only place where the destination can be; its key is made. */
  #find({ addresses }: Session): number {
    const key = this.#key;
    const isIpv4 = (addresses[DESTINATION] & 0xffff) === AF_INET;
    key[0] = addresses[DESTINATION];
    let hash = mixWord(this.#seed, key[0]);
    for (let word = 1; word < WORDS; word++) {
      key[word] = !isIpv4 ? addresses[DESTINATION + 1 + word] : word === 1 ? addresses[DESTINATION + 1] : 0;
      hash = mixWord(hash, key[word]);
    }
    hash = Math.imul(hash, 0x85ebca6b);
    return (hash ^ (hash >>> 16)) & (PLACES - 1);
  }

  #isThere(place: number): boolean {
    for (let word = 0; word < WORDS; word++) {
      if (this.#keys[place * WORDS + word] !== this.#key[word]) return false;
    }
    return true;
  }
}
