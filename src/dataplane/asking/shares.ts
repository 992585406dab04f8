/**
 * The pending questions of each client, in their order: who has to make room when there are too many. Nothing
 * is allocated for a question of a client that has another.
 * @module
 */
import { ClientBook } from "../shared/client_book.ts";
import { SlotLinks, SlotList } from "../udp/slot_list.ts";

/** Questions by client. A question is a place, a number below the capacity. */
export class Shares {
  readonly #links = new SlotLinks();
  readonly #clientLinks = new SlotLinks();
  readonly #byAge = new SlotList(this.#links);
  readonly #clients = new ClientBook(() => new SlotList(this.#clientLinks));
  /** By place: the questions of its client. */
  readonly #clientOf: (SlotList | null)[];

  constructor(capacity: number) {
    this.#clientOf = new Array(capacity).fill(null);
    this.#links.grow(capacity);
    this.#clientLinks.grow(capacity);
  }

  /** The number of questions. */
  get size(): number {
    return this.#byAge.size;
  }

  /** Lists all, the oldest first. */
  all(): number[] {
    const places: number[] = [];
    for (let place = this.#byAge.first; place >= 0; place = this.#links.next[place]) places.push(place);
    return places;
  }

  /** Adds a question of the client whose struct sockaddr is at `at`. */
  add(place: number, words: Int32Array, at: number): void {
    const client = this.#clients.open(words, at);
    this.#clientOf[place] = client;
    this.#byAge.append(place);
    client.append(place);
    this.#clients.grew(client);
  }

  /** Removes a question of the client whose struct sockaddr is at `at`. */
  remove(place: number, words: Int32Array, at: number): void {
    const client = this.#clientOf[place]!;
    this.#byAge.remove(place);
    client.remove(place);
    if (client.size === 0) this.#clients.close(words, at);
  }

  /** The oldest question of the client at `at`, if it has as many as `most`; -1: it has not. */
  surplusOf(words: Int32Array, at: number, most: number): number {
    const client = this.#clients.find(words, at);
    return client !== null && client.size >= most ? client.first : -1;
  }

  /**
   * The question that should make room for another, -1: there is none. The oldest one; where one client has
   * more than an equal share, the oldest of that client.
   */
  victim(): number {
    return (this.#clients.unfair(this.size) ?? this.#byAge).first;
  }
}
