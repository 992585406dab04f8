// An order that does not jump: a row rises only when it has been clearly greater for a while.

/** A row rises above another of which it is so many times as great, */
const CLEARLY = 1.2;
/** and has been so often in a row. */
const LOOKS = 3;

/** The order. */
export class CalmOrder {
  #keys = [];
  #greater = new Map();

  /** The keys in order; `valueOf`: how great each is now. To be asked once a look. */
  arrange(valueOf) {
    this.#keys = this.#keys.filter((key) => valueOf.has(key));
    for (const key of this.#greater.keys()) if (!valueOf.has(key)) this.#greater.delete(key);
    this.#insert(valueOf);
    for (let i = 1; i < this.#keys.length; i++) this.#consider(i, valueOf);
    return this.#keys;
  }

  /** Puts those that come where they belong at once: nobody has seen them elsewhere. */
  #insert(valueOf) {
    const known = new Set(this.#keys);
    const fresh = [...valueOf.keys()].filter((key) => !known.has(key));
    if (fresh.length === 0) return;
    fresh.sort((a, b) => valueOf.get(b) - valueOf.get(a));
    const keys = [];
    let next = 0;
    for (const key of this.#keys) {
      while (next < fresh.length && valueOf.get(fresh[next]) > valueOf.get(key)) keys.push(fresh[next++]);
      keys.push(key);
    }
    this.#keys = keys.concat(fresh.slice(next));
  }

  #consider(place, valueOf) {
    const keys = this.#keys;
    const key = keys[place];
    const value = valueOf.get(key);
    if (value <= CLEARLY * valueOf.get(keys[place - 1])) {
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
    while (to > 0 && valueOf.get(keys[to - 1]) < value) to--;
    keys.splice(place, 1);
    keys.splice(to, 0, key);
  }
}
