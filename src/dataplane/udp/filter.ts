/**
 * Address and port-dependent filtering (RFC 4787, section 5) for sockets with an address of the router's own:
 * whom each session has sent to. With clients' addresses conntrack does it, see
 * kernel/plan/concerns/replies.ts.
 * @module
 */
import { ADDRESS_WORDS } from "../shared/columns.ts";
import { EndpointMap } from "./endpoint_map.ts";
import type { UdpTable } from "./table.ts";

/** Of one session; the one that was added first is forgotten for another. */
const MAX_PEERS = 4096;

/** The peers of a session. */
class Peers {
  readonly addresses: number[] = [];
  oldest = 0;
}

/** The filter of a worker. */
export class UdpFilter {
  readonly #table: Pick<UdpTable, "filtered">;
  readonly #peers = new EndpointMap();
  readonly #bySlot: (Peers | undefined)[] = [];
  readonly #address = new Int32Array(ADDRESS_WORDS);

  /** The table says which sessions it concerns. */
  constructor(table: Pick<UdpTable, "filtered">) {
    this.#table = table;
  }

  /** The session is sending to the struct sockaddr at `at` in `words`. */
  sending(slot: number, words: Int32Array, at: number): void {
    if (this.#table.filtered[slot] === 0) return;
    if (this.#peers.find(words, at, slot) >= 0) return;
    const peers = this.#bySlot[slot] ??= new Peers();
    const full = peers.addresses.length >= MAX_PEERS * ADDRESS_WORDS;
    const place = full ? peers.oldest : peers.addresses.length;
    if (full) {
      this.#forget(slot, peers, place);
      peers.oldest = (peers.oldest + ADDRESS_WORDS) % peers.addresses.length;
    }
    for (let word = 0; word < ADDRESS_WORDS; word++) peers.addresses[place + word] = words[at + word];
    this.#peers.set(words, at, slot, 1);
  }

  /** Tells whether the session has sent to the struct sockaddr at `at` in `words`. */
  admits(slot: number, words: Int32Array, at: number): boolean {
    return this.#table.filtered[slot] === 0 || this.#peers.find(words, at, slot) >= 0;
  }

  /** Calls `take` with each peer of a session: the struct sockaddr at 0. */
  give(slot: number, take: (words: Int32Array) => void): void {
    const { addresses } = this.#bySlot[slot] ?? new Peers();
    for (let place = 0; place < addresses.length; place += ADDRESS_WORDS) {
      take(Int32Array.from(addresses.slice(place, place + ADDRESS_WORDS)));
    }
  }

  /** Forgets a session. */
  closing(slot: number): void {
    const peers = this.#bySlot[slot];
    if (peers === undefined) return;
    for (let place = 0; place < peers.addresses.length; place += ADDRESS_WORDS) {
      this.#forget(slot, peers, place);
    }
    this.#bySlot[slot] = undefined;
  }

  #forget(slot: number, peers: Peers, place: number): void {
    for (let word = 0; word < ADDRESS_WORDS; word++) this.#address[word] = peers.addresses[place + word];
    this.#peers.delete(this.#address, 0, slot);
  }
}
