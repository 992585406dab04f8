/**
 * Holdings of clients, by address alone: who has what of a worker, and who has most. One that is empty is
 * used again for another client.
 * @module
 */
import { EndpointMap } from "../udp/endpoint_map.ts";

const NOBODY = 0;

/** Holding of a client. */
export interface Holding {
  readonly size: number;
}

/** The book. Addresses are given as a struct sockaddr at a word of some memory. */
export class ClientBook<T extends Holding> {
  readonly #make: () => T;
  readonly #places = new EndpointMap({ ports: false });
  readonly #holdings: T[] = [];
  readonly #free: number[] = [];
  /** The one with most, or one that had. */
  #heaviest: T | null = null;
  #nextLook = 0;

  constructor(make: () => T) {
    this.#make = make;
  }

  /** The number of clients that have something. */
  get size(): number {
    return this.#places.size;
  }

  /** The client's holding; null: it has none. */
  find(words: Int32Array, at: number): T | null {
    const place = this.#places.find(words, at, NOBODY);
    return place < 0 ? null : this.#holdings[place];
  }

  /** The client's holding, which it has from now on. */
  open(words: Int32Array, at: number): T {
    let place = this.#places.find(words, at, NOBODY);
    if (place < 0) {
      place = this.#free.pop() ?? this.#holdings.push(this.#make()) - 1;
      this.#places.set(words, at, NOBODY, place);
    }
    return this.#holdings[place];
  }

  /** Notes that one has become larger. */
  grew(holding: T): void {
    if (this.#heaviest === null || holding.size > this.#heaviest.size) this.#heaviest = holding;
  }

  /** Takes back a client's holding, which is empty. */
  close(words: Int32Array, at: number): void {
    const place = this.#places.delete(words, at, NOBODY);
    this.#free.push(place);
    if (this.#heaviest === this.#holdings[place]) this.#heaviest = null;
  }

  /** The heaviest client's holding, if it is more than an equal share of `total`; else null. */
  unfair(total: number): T | null {
    const heaviest = this.#heaviest;
    return heaviest !== null && heaviest.size * this.#places.size > total ? heaviest : null;
  }

  /** The heaviest client's holding, of those known and so many that are looked at; null: there is none. */
  look(clients: number): T | null {
    const holdings = this.#holdings;
    for (let i = Math.min(holdings.length, clients); i > 0; i--) {
      if (this.#nextLook >= holdings.length) this.#nextLook = 0;
      const holding = holdings[this.#nextLook++];
      if (holding.size > 0) this.grew(holding);
    }
    return this.#heaviest;
  }
}
