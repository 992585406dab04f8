/**
 * Counts that never go back. A sum over live and ended sessions may lack one that is just about to end; a
 * reader of counters would take that for a restart, and count all anew. Pure.
 * @module
 */

/** See the module. */
export class Ratchet {
  #before = new Map<string, number>();
  #now = new Map<string, number>();

  /** Begins a reading: what the last one has not asked for is forgotten. */
  turn(): void {
    this.#before = this.#now;
    this.#now = new Map();
  }

  /** Returns the count, or what it was before where that was more. */
  hold(name: string, count: number): number {
    const held = Math.max(count, this.#before.get(name) ?? 0);
    this.#now.set(name, held);
    return held;
  }
}
