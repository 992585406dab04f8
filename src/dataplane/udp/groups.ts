/**
 * The datagrams of one batch, sorted by session and in their order. Holds indices only; nothing is allocated
 * for a batch.
 * @module
 */

const NONE = -1;

/** Grouping of a batch's datagrams by session. */
export class SessionGroups {
  /** Number of sessions that have datagrams in the batch. */
  count = 0;
  /** Of each group: its session's slot, and the slot's tag at that time. */
  readonly slots: Int32Array;
  readonly tags: Int32Array;
  /** Of each group: its first datagram. */
  readonly first: Int32Array;
  /** Of each datagram: the next one of its group; negative for the last. */
  readonly next: Int32Array;
  readonly #last: Int32Array;

  /** `capacity`: datagrams in a batch. */
  constructor(capacity: number) {
    const numbers = () => new Int32Array(capacity);
    this.slots = numbers();
    this.tags = numbers();
    this.first = numbers();
    this.next = numbers();
    this.#last = numbers();
  }

  /** Forgets the batch before. */
  clear(): void {
    this.count = 0;
  }

  /** Puts the i-th datagram behind the session's others. */
  add(i: number, slot: number, tag: number): void {
    this.next[i] = NONE;
    // The last ones first: a client's datagrams tend to come one after another.
    for (let group = this.count - 1; group >= 0; group--) {
      if (this.slots[group] !== slot || this.tags[group] !== tag) continue;
      this.next[this.#last[group]] = i;
      this.#last[group] = i;
      return;
    }
    const group = this.count++;
    this.slots[group] = slot;
    this.tags[group] = tag;
    this.first[group] = this.#last[group] = i;
  }
}
