/**
 * Timeouts without cost per event: a hashed wheel of intrusive lists. Activity only writes a number into the
 * entry; when the entry's slot comes round, its owner looks whether it is really due, and puts it back if
 * not.
 * @module
 */

/** The resolution, in milliseconds. */
export const TICK_MS = 100;
const SLOTS = 1024;
const MASK = SLOTS - 1;

/** Something that can be in a wheel: extend it. */
export class WheelEntry {
  wheelNext: WheelEntry | null = null;
  wheelPrevious: WheelEntry | null = null;
  /** The slot it is in, -1 for none. */
  wheelSlot = -1;
}

/** Ticks of so many milliseconds, at least one. */
export function ticks(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / TICK_MS));
}

/** A wheel for entries of type T. Ticks are counted from whatever moment the owner likes. */
export class TimerWheel<T extends WheelEntry> {
  readonly #heads: (WheelEntry | null)[] = new Array(SLOTS).fill(null);
  #size = 0;
  #now: number;
  /** No slot before this tick holds an entry. */
  #earliest = 0;

  constructor(now: number) {
    this.#now = now;
  }

  /** The number of entries. */
  get size(): number {
    return this.#size;
  }

  /**
   * Puts an entry where it comes round at `due`, or sooner if that is more than a turn ahead: the owner then
   * puts it back. An entry that is in the wheel already is moved.
   */
  schedule(entry: T, due: number): void {
    if (entry.wheelSlot >= 0) this.remove(entry);
    const tick = Math.min(Math.max(due, this.#now + 1), this.#now + SLOTS - 1);
    const slot = tick & MASK;
    const head = this.#heads[slot];
    entry.wheelSlot = slot;
    entry.wheelPrevious = null;
    entry.wheelNext = head;
    if (head !== null) head.wheelPrevious = entry;
    this.#heads[slot] = entry;
    if (this.#size === 0 || tick < this.#earliest) this.#earliest = tick;
    this.#size++;
  }

  /** Takes an entry out; nothing happens if it is not in. */
  remove(entry: T): void {
    if (entry.wheelSlot < 0) return;
    const { wheelNext, wheelPrevious } = entry;
    if (wheelNext !== null) wheelNext.wheelPrevious = wheelPrevious;
    if (wheelPrevious !== null) wheelPrevious.wheelNext = wheelNext;
    else this.#heads[entry.wheelSlot] = wheelNext;
    entry.wheelNext = entry.wheelPrevious = null;
    entry.wheelSlot = -1;
    this.#size--;
  }

  /** Moves on to tick `now`; takes out the entries that come round on the way and gives each to `due`. */
  advance(now: number, due: (entry: T) => void): void {
    if (this.#size === 0 || now < this.#earliest) {
      this.#now = Math.max(now, this.#now);
      return;
    }
    // After a long sleep one full turn meets every entry.
    const first = Math.max(this.#earliest, now - SLOTS + 1);
    this.#now = now;
    for (let tick = first; tick <= now; tick++) {
      let entry = this.#heads[tick & MASK];
      while (entry !== null) {
        // Read before `due` runs: it may put the entry elsewhere. It never touches another entry of the
        // wheel.
        const next: WheelEntry | null = entry.wheelNext;
        this.remove(entry as T);
        due(entry as T);
        entry = next;
      }
    }
    this.#earliest = this.#findEarliest();
  }

  /** Ticks until the next entry comes round, -1 if there is none. */
  ticksToNext(): number {
    return this.#size === 0 ? -1 : Math.max(1, this.#earliest - this.#now);
  }

  #findEarliest(): number {
    if (this.#size === 0) return this.#now + SLOTS;
    let tick = this.#now + 1;
    while (this.#heads[tick & MASK] === null) tick++;
    return tick;
  }
}
