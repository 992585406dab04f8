/**
 * Lists of slot numbers, in order of use: doubly linked in two arrays, so that neither a list nor a move
 * makes an object.
 * @module
 */

/** Neighbours of each slot. A slot is in one list that uses these links, or in none. */
export class SlotLinks {
  next = new Int32Array(0);
  previous = new Int32Array(0);

  /** Makes room for slots 0 to `slots` - 1. */
  grow(slots: number): void {
    const { next, previous } = this;
    this.next = new Int32Array(slots);
    this.previous = new Int32Array(slots);
    this.next.set(next);
    this.previous.set(previous);
  }
}

/** A list. */
export class SlotList {
  /** The slot that was appended first, -1: the list is empty. */
  first = -1;
  last = -1;
  size = 0;
  readonly #links: SlotLinks;

  constructor(links: SlotLinks) {
    this.#links = links;
  }

  /** Puts a slot, which must be in no list, at the end. */
  append(slot: number): void {
    const { next, previous } = this.#links;
    next[slot] = -1;
    previous[slot] = this.last;
    if (this.last >= 0) next[this.last] = slot;
    else this.first = slot;
    this.last = slot;
    this.size++;
  }

  /** Takes out a slot that is in this list. */
  remove(slot: number): void {
    const { next, previous } = this.#links;
    const after = next[slot];
    const before = previous[slot];
    if (after >= 0) previous[after] = before;
    else this.last = before;
    if (before >= 0) next[before] = after;
    else this.first = after;
    this.size--;
  }

  /** Moves a slot of this list to the end. */
  touch(slot: number): void {
    if (slot === this.last) return;
    this.remove(slot);
    this.append(slot);
  }
}
