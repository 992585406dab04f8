/**
 * The names of a worker's live sessions: shared memory of one size, however many sessions there are. Sessions
 * of one name share its place; where all places near its own are taken a name is not kept. Pure.
 * @module
 */

const PLACES = 4096;
/** A place: the bytes of a name, no name has more than 253. */
export const PLACE_BYTES = 256;
/** A name is in one of so many places, from that of its hash on. */
const REACH = 8;

/** Place of the seed: behind all others. */
const SEED_AT = PLACES * (2 * 4 + PLACE_BYTES);

/** No place. */
export const NO_NAME = -1;

/**
 * Returns fresh memory. Nothing of it is used before a session has a name. `seed`: nobody from outside may
 * know it, or clients keep the names of others from being kept.
 */
export function allocateNames(seed: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(SEED_AT + 4);
  new DataView(memory).setInt32(SEED_AT, seed, true);
  return memory;
}

/** A view on the places. One thread writes, any may read what a row of its ledger names. */
export class NamePlaces {
  /** Sessions that have the name. */
  readonly #users: Int32Array<SharedArrayBuffer>;
  readonly #lengths: Int32Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #seed: number;

  constructor(memory: SharedArrayBuffer) {
    this.#users = new Int32Array(memory, 0, PLACES);
    this.#lengths = new Int32Array(memory, PLACES * 4, PLACES);
    this.#bytes = new Uint8Array(memory, 2 * PLACES * 4, PLACES * PLACE_BYTES);
    this.#seed = new DataView(memory).getInt32(SEED_AT, true);
  }

  /** Keeps a name for a session. Its place, or NO_NAME: there is none, or none for it. */
  keep(name: Uint8Array, length: number): number {
    if (length === 0 || length > PLACE_BYTES) return NO_NAME;
    const first = hashOf(this.#seed, name, length);
    let free = NO_NAME;
    for (let step = 0; step < REACH; step++) {
      const place = (first + step) % PLACES;
      if (this.#users[place] === 0) {
        if (free < 0) free = place;
      } else if (this.#holds(place, name, length)) {
        this.#users[place]++;
        return place;
      }
    }
    if (free < 0) return NO_NAME;
    this.#users[free] = 1;
    this.#lengths[free] = length;
    for (let i = 0; i < length; i++) this.#bytes[free * PLACE_BYTES + i] = name[i];
    return free;
  }

  /** A session has its name no longer. */
  release(place: number): void {
    if (place >= 0 && this.#users[place] > 0) this.#users[place]--;
  }

  /** Forgets all names: their worker has failed, and none of its sessions lives. */
  clear(): void {
    this.#users.fill(0);
  }

  /** Copies the name at a place to the bytes at `at`. Its length. */
  copy(place: number, to: Uint8Array, at: number): number {
    const length = this.#lengths[place];
    for (let i = 0; i < length; i++) to[at + i] = this.#bytes[place * PLACE_BYTES + i];
    return length;
  }

  #holds(place: number, name: Uint8Array, length: number): boolean {
    if (this.#lengths[place] !== length) return false;
    for (let i = 0; i < length; i++) if (this.#bytes[place * PLACE_BYTES + i] !== name[i]) return false;
    return true;
  }
}

function hashOf(seed: number, name: Uint8Array, length: number): number {
  let hash = seed;
  for (let i = 0; i < length; i++) {
    hash = Math.imul(hash ^ name[i], 0x9e3779b1);
    // Else the names that collide under one seed would do so under each.
    hash ^= hash >>> 15;
  }
  return (hash >>> 8) % PLACES;
}
