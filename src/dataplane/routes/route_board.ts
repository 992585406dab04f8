/**
 * Facts about the router's routing that the main thread writes and workers read at each dial. Pure.
 * @module
 */

// Its words.
const GENERATION = 0;
const FLAGS = 1;
const PRIORITY = 2;
const MARK = 3;
const PASSAGE = 4;
const LAST_GENERATION = 5;
const CHANGES = 6;
/** The words of shared memory that it takes. */
export const ROUTE_BOARD_WORDS = 8;

const BY_PORT = 1;

/** The routing of a router that does not depend on its destination alone. */
export interface AskedRouting {
  /** Ways depend on ports too. */
  readonly byPort: boolean;
  /** The priority of routing rules that pin flows. */
  readonly priority: number;
  /** The bit of the mark of what is pinned; 0: there is none left. */
  readonly mark: number;
}

/** A view on the words; make one for each thread. */
export class RouteBoard {
  readonly #words: Int32Array<SharedArrayBuffer>;

  constructor(words: Int32Array<SharedArrayBuffer>) {
    this.#words = words;
  }

  /** 0: packets of the router leave as forwarded ones do. Else it is another number after each change. */
  get generation(): number {
    return Atomics.load(this.#words, GENERATION);
  }

  /** See {@linkcode AskedRouting}. */
  get byPort(): boolean {
    return (this.#words[FLAGS] & BY_PORT) !== 0;
  }

  /** See {@linkcode AskedRouting}. */
  get priority(): number {
    return this.#words[PRIORITY];
  }

  /** See {@linkcode AskedRouting}. */
  get mark(): number {
    return this.#words[MARK];
  }

  /** The router's rules may drop new flows where they leave it, or send them elsewhere: see passage.ts. */
  get outputDrops(): boolean {
    return Atomics.load(this.#words, PASSAGE) !== 0;
  }

  /** The number of changes so far. A dial that began before the last one may go where none is answered. */
  get changes(): number {
    return Atomics.load(this.#words, CHANGES);
  }

  /** Tells workers of the routing as it is now; null: it is simple. */
  write(routing: AskedRouting | null): void {
    const words = this.#words;
    if (routing === null) {
      if (Atomics.exchange(words, GENERATION, 0) !== 0) Atomics.add(words, CHANGES, 1);
      return;
    }
    words[FLAGS] = routing.byPort ? BY_PORT : 0;
    words[PRIORITY] = routing.priority;
    words[MARK] = routing.mark;
    // Never one that was there before the routing was simple for a while: workers remember it.
    words[LAST_GENERATION] = (words[LAST_GENERATION] + 1) | 0 || 1;
    Atomics.store(words, GENERATION, words[LAST_GENERATION]);
    Atomics.add(words, CHANGES, 1);
  }

  /**
   * Tells workers whether the router's own rules may drop new flows, or send them elsewhere. Returns whether
   * that is another than before.
   */
  writeOutput(drops: boolean): boolean {
    const passage = drops ? 1 : 0;
    const isChange = Atomics.exchange(this.#words, PASSAGE, passage) !== passage;
    if (isChange) Atomics.add(this.#words, CHANGES, 1);
    return isChange;
  }
}
