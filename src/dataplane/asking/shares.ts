/**
 * The pending questions of each client, in their order: who has to make room when there are too many. Nothing
 * is allocated for a question of a client that has another.
 * @module
 */
import { EndpointMap } from "../udp/endpoint_map.ts";
import { SlotLinks, SlotList } from "../udp/slot_list.ts";

const NOBODY = 0;

/** Questions by client. A question is a place, a number below the capacity. */
export class Shares {
  readonly #links = new SlotLinks();
  readonly #clientLinks = new SlotLinks();
  readonly #byAge = new SlotList(this.#links);
  readonly #clients = new EndpointMap({ ports: false });
  readonly #lists: SlotList[] = [];
  readonly #free: number[] = [];
  readonly #listOf: Int32Array;
  /** The client with most, or one that had. */
  #heaviest: SlotList | null = null;

  constructor(capacity: number) {
    this.#listOf = new Int32Array(capacity);
    this.#links.grow(capacity);
    this.#clientLinks.grow(capacity);
  }

  /** The number of questions. */
  get size(): number {
    return this.#byAge.size;
  }

  /** Adds a question of the client whose struct sockaddr is at `at`. */
  add(place: number, words: Int32Array, at: number): void {
    let index = this.#clients.find(words, at, NOBODY);
    if (index < 0) {
      index = this.#free.pop() ?? this.#lists.push(new SlotList(this.#clientLinks)) - 1;
      this.#clients.set(words, at, NOBODY, index);
    }
    const list = this.#lists[index];
    this.#listOf[place] = index;
    this.#byAge.append(place);
    list.append(place);
    if (this.#heaviest === null || list.size > this.#heaviest.size) this.#heaviest = list;
  }

  /** Removes a question of the client whose struct sockaddr is at `at`. */
  remove(place: number, words: Int32Array, at: number): void {
    const index = this.#listOf[place];
    const list = this.#lists[index];
    this.#byAge.remove(place);
    list.remove(place);
    if (list.size > 0) return;
    this.#clients.delete(words, at, NOBODY);
    this.#free.push(index);
    if (this.#heaviest === list) this.#heaviest = null;
  }

  /**
   * The question that should make room for another, -1: there is none. The oldest one; where one client has
   * more than an equal share, the oldest of that client.
   */
  victim(): number {
    const heaviest = this.#heaviest;
    if (heaviest !== null && heaviest.size * this.#clients.size > this.size) return heaviest.first;
    return this.#byAge.first;
  }
}
