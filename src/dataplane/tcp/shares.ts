/**
 * Shares of the clients in a worker's TCP sessions: who loses one when the house is full. A client with more
 * than the newcomer has loses first its oldest dial, then the connection that has been silent for longest; so
 * one client alone never fills the house for the others.
 * @module
 */
import { ClientBook } from "../shared/client_book.ts";
import { SlotLinks, SlotList } from "../udp/slot_list.ts";

/** A client keeps what it began, or used, within so many ticks from its own newcomers: a second. */
const YOUNG_TICKS = 10;
/** Clients that are looked at for each victim, to find one that has more by now than the heaviest known. */
const CLIENTS_PER_LOOK = 64;
/** Connections that are looked at for each victim: the most silent of them goes, and the others wait. */
const SESSIONS_PER_LOOK = 64;

/** Sessions of one client, by address alone. A session is in one of the lists. */
class Client {
  /** Those that wait for an answer, the oldest first. */
  readonly dials: SlotList;
  /** Those that were answered, in the order in which they were looked at. */
  readonly answered: SlotList;

  constructor(links: SlotLinks) {
    this.dials = new SlotList(links);
    this.answered = new SlotList(links);
  }

  get size(): number {
    return this.dials.size + this.answered.size;
  }
}

/** Ticks of a worker's clock that a session has. */
export interface Times {
  /** Its dial's begin. */
  readonly startedTick: number;
  /** Its last event. */
  readonly activeTick: number;
}

/** The clients of a worker. Sessions are named by slot, addresses as struct sockaddr in words. */
export class TcpShares {
  readonly #times: (slot: number) => Times;
  readonly #links = new SlotLinks();
  #capacity = 0;
  /** By slot. */
  readonly #clientOf: (Client | null)[] = [];
  readonly #clients = new ClientBook(() => new Client(this.#links));

  /** `times` tells those of a live session. */
  constructor(times: (slot: number) => Times) {
    this.#times = times;
  }

  /** Adds a session, which waits for an answer. */
  enter(slot: number, words: Int32Array, at: number): void {
    if (slot >= this.#capacity) this.#links.grow(this.#capacity = Math.max(64, 2 * slot));
    const client = this.#clients.open(words, at);
    client.dials.append(slot);
    this.#clientOf[slot] = client;
    this.#clients.grew(client);
  }

  /** Notes that a session was answered. */
  answered(slot: number): void {
    const client = this.#clientOf[slot]!;
    client.dials.remove(slot);
    client.answered.append(slot);
  }

  /** Takes a session out; `waits`: it was not answered. */
  leave(slot: number, words: Int32Array, at: number, waits: boolean): void {
    const client = this.#clientOf[slot]!;
    if (waits) client.dials.remove(slot);
    else client.answered.remove(slot);
    this.#clientOf[slot] = null;
    if (client.size === 0) this.#clients.close(words, at);
  }

  /**
   * The session that makes room for another of the client at `at`, -1 for none. A client that has as many as
   * anybody else makes room for itself, with what is of no use any more.
   */
  victimFor(words: Int32Array, at: number, tick: number): number {
    const own = this.#clients.find(words, at);
    const heaviest = this.#clients.look(CLIENTS_PER_LOOK);
    if (heaviest === null) return -1;
    // With one more the newcomer would have as many: then neither is to lose what it uses.
    if (heaviest.size > (own === null ? 0 : own.size) + 1) return this.#victimOf(heaviest);
    return own === null ? -1 : this.#uselessOf(own, tick);
  }

  /** The session that makes room for a client that nobody knows yet, -1 for none. */
  victim(): number {
    const heaviest = this.#clients.look(CLIENTS_PER_LOOK);
    return heaviest === null || heaviest.size < 2 ? -1 : this.#victimOf(heaviest);
  }

  #victimOf(client: Client): number {
    return client.dials.size > 0 ? client.dials.first : this.#mostSilentOf(client.answered);
  }

  #uselessOf(client: Client, tick: number): number {
    const dial = client.dials.first;
    if (dial >= 0 && tick - this.#times(dial).startedTick >= YOUNG_TICKS) return dial;
    const silent = this.#mostSilentOf(client.answered);
    return silent >= 0 && tick - this.#times(silent).activeTick >= YOUNG_TICKS ? silent : -1;
  }

  /** Looks at some, which go to the end of the list, so that the next look is at others. */
  #mostSilentOf(list: SlotList): number {
    let found = -1;
    let least = Infinity;
    for (let i = Math.min(list.size, SESSIONS_PER_LOOK); i > 0; i--) {
      const slot = list.first;
      const { activeTick } = this.#times(slot);
      if (activeTick < least) {
        least = activeTick;
        found = slot;
      }
      list.touch(slot);
    }
    return found;
  }
}
