/**
 * An order that does not jump: a row rises only when it has been clearly greater for a while. Pure.
 * @module
 */

/** A row rises above another of which it is so many times as great, */
const CLEARLY = 1.2;
/** and has been so often in a row. */
const LOOKS = 3;

/** The order. */
export class CalmOrder {
  #keys: string[] = [];
  readonly #greater = new Map<string, number>();

  /** The keys in order; `valueOf` tells how great each is now. To be asked once a look. */
  arrange(valueOf: ReadonlyMap<string, number>): readonly string[] {
    const value = (key: string) => valueOf.get(key) ?? 0;
    this.#keys = this.#keys.filter((key) => valueOf.has(key));
    this.#insert(valueOf.keys(), value);
    for (const key of this.#greater.keys()) if (!valueOf.has(key)) this.#greater.delete(key);
    for (let i = 1; i < this.#keys.length; i++) this.#consider(i, value);
    return this.#keys;
  }

  /** Puts those that come where they belong at once: nobody has seen them elsewhere. */
  #insert(all: Iterable<string>, value: (key: string) => number): void {
    const known = new Set(this.#keys);
    const fresh = [...all].filter((key) => !known.has(key)).sort((a, b) => value(b) - value(a));
    if (fresh.length === 0) return;
    const keys: string[] = [];
    let next = 0;
    for (const key of this.#keys) {
      while (next < fresh.length && value(fresh[next]) > value(key)) keys.push(fresh[next++]);
      keys.push(key);
    }
    this.#keys = keys.concat(fresh.slice(next));
  }

  #consider(place: number, value: (key: string) => number): void {
    const key = this.#keys[place];
    if (value(key) <= CLEARLY * value(this.#keys[place - 1])) {
      this.#greater.delete(key);
      return;
    }
    const looks = (this.#greater.get(key) ?? 0) + 1;
    if (looks < LOOKS) {
      this.#greater.set(key, looks);
      return;
    }
    this.#greater.delete(key);
    let to = place - 1;
    while (to > 0 && value(this.#keys[to - 1]) < value(key)) to--;
    this.#keys.splice(place, 1);
    this.#keys.splice(to, 0, key);
  }
}
