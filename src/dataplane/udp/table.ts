/**
 * The books of a worker's UDP sessions: one for each client endpoint. Numbers in arrays rather than objects:
 * there may be tens of thousands. Numbers that others may read lie in the ledger. The acts of sessions, their
 * sockets and their end, are in sessions.ts.
 * @module
 */
import { ClientBook } from "../shared/client_book.ts";
import { ADDRESS_WORDS } from "../shared/columns.ts";
import type { Ledger } from "../shared/ledger.ts";
import { EndpointMap } from "./endpoint_map.ts";
import { SlotLinks, SlotList } from "./slot_list.ts";

const INITIAL_SLOTS = 64;
const NOBODY = 0;

/** Errors are told to clients when the loop tells of them. */
export const KEEPS_ERRORS = 2;
/** Errors are told to clients, and reading answers looks for them, too. */
export const MEETS_ERRORS = 1;

/** Some destinations of the session's client are reached in another way: see ways/detours.ts. */
export const HAS_DETOURS = 1;
/** Answers to the session may come from where the router has translated a destination to. */
export const MAPS_BACK = 2;
/** The session is another way of a client endpoint that has a session: see ways/kin.ts. */
export const IS_CHILD = 4;
/** The session shares the address and port of another. */
export const SHARES = 8;
/** Datagrams leave with "don't fragment". */
export const UNFRAGMENTED = 16;
/** The kernel may know flows of an earlier session of the client endpoint: see ways/early_ends.ts. */
export const DOUBTED = 32;
/** The session's datagrams go to an upstream proxy: see upstreams/links.ts. */
export const PROXIED = 64;

/** Sessions that have only talked to port 53. */
export const DNS = 0;
/** All others. */
export const OTHER = 1;

/** Beginning of a session. */
export interface NewSession {
  readonly fd: number;
  readonly tick: number;
  /** Milliseconds of CLOCK_MONOTONIC. */
  readonly time: number;
  /** DNS or OTHER. */
  readonly kind: number;
  /** Its way, see ways/way.ts. */
  readonly way: number;
  /** HAS_DETOURS and others. */
  readonly traits: number;
  /** Of a session with an upstream: a number below zero, by which {@linkcode UdpTable.find} finds it. */
  readonly owner?: number | undefined;
}

/** The table. Slots are used again; a session's tag tells the uses of a slot apart. */
export class UdpTable {
  /** The upstream socket. */
  readonly fds: Int32Array;
  /** 0: the slot is free. */
  readonly tags: Int32Array;
  /** The client's address and port, as struct sockaddr. */
  readonly addresses: Int32Array;
  /** The tick of the last datagram. */
  ticks = new Int32Array(0);
  /** DNS or OTHER. */
  kinds = new Uint8Array(0);
  /** Trains of datagrams longer than this each are not given to the kernel as one. */
  segmentLimits = new Int32Array(0);
  /** 1: the socket is prepared for bulk. */
  bulk = new Uint8Array(0);
  /** KEEPS_ERRORS or MEETS_ERRORS: the socket keeps a queue of ICMP errors. */
  keepsErrors = new Uint8Array(0);
  /** 1: the client receives from nobody but whom it has sent to, and we see to that. */
  filtered = new Uint8Array(0);
  /** HAS_DETOURS and others. */
  traits = new Uint8Array(0);
  /** The priority of the socket, 0: the kernel's; and its TOS, where it has one. */
  priorities = new Int32Array(0);
  tos = new Uint8Array(0);
  /** The way that its datagrams go, see ways/way.ts. */
  ways = new Int32Array(0);
  /** 1: waits in a list of sessions that have more to do. */
  queued = new Uint8Array(0);
  /** By which sessions of one endpoint are told apart. */
  #owners = new Int32Array(0);

  /** Of each slot: the sessions of its client, by address alone, in order of use. */
  readonly #clientOf: (SlotList | null)[] = [];
  readonly #links = new SlotLinks();
  readonly #clientLinks = new SlotLinks();
  /** By kind, in order of use. */
  readonly #byAge = [new SlotList(this.#links), new SlotList(this.#links)];
  readonly #slots = new EndpointMap();
  readonly #clients = new ClientBook(() => new SlotList(this.#clientLinks));
  readonly #freeSlots: number[] = [];
  #size = 0;
  #nextTag = 1;
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.fds = ledger.columns.upstreamFd;
    this.tags = ledger.columns.tag;
    this.addresses = ledger.columns.client;
  }

  /** The number of live sessions. */
  get size(): number {
    return this.#size;
  }

  /**
   * The session of the endpoint whose struct sockaddr is at `at`, -1 for none; with `owner` the one that has
   * this.
   */
  find(words: Int32Array, at: number, owner = NOBODY): number {
    return this.#slots.find(words, at, owner);
  }

  /** Counts the sessions of the endpoint's address. */
  countOf(words: Int32Array, at: number): number {
    return this.#clients.find(words, at)?.size ?? 0;
  }

  /** Tells whether the endpoint's address has less than an equal share of the sessions. */
  isModest(words: Int32Array, at: number): boolean {
    return this.countOf(words, at) * this.#clients.size < this.#size;
  }

  /** The session of the endpoint's address that was least recently used, -1 for none. */
  oldestOf(words: Int32Array, at: number): number {
    return this.#clients.find(words, at)?.first ?? -1;
  }

  /**
   * The session that should make room for another, -1 if there is none: the least recently used one; where
   * one client holds more than an equal share, and so leaves the others less, the least recently used of that
   * client.
   */
  victim(): number {
    return this.#clients.unfair(this.#size)?.first ?? this.oldest();
  }

  /** The session that was least recently used, -1 if there is none. */
  oldest(): number {
    const dns = this.#byAge[DNS].first;
    const other = this.#byAge[OTHER].first;
    if (dns < 0 || other < 0) return dns < 0 ? other : dns;
    return this.ticks[dns] - this.ticks[other] <= 0 ? dns : other;
  }

  /** The tick at which any session was used last, -Infinity if there is none. */
  newestTick(): number {
    const dns = this.#byAge[DNS].last;
    const other = this.#byAge[OTHER].last;
    return Math.max(dns < 0 ? -Infinity : this.ticks[dns], other < 0 ? -Infinity : this.ticks[other]);
  }

  /** The session of a kind that was least recently used, -1 if there is none. */
  oldestOfKind(kind: number): number {
    return this.#byAge[kind].first;
  }

  /** A session for an endpoint that has none. Its slot. `time`: milliseconds of CLOCK_MONOTONIC. */
  open(words: Int32Array, at: number, options: NewSession): number {
    const slot = this.#freeSlots.pop() ?? this.#growTo();
    this.#ledger.open(slot, this.#nextTag, words, at, options.time);
    this.#ledger.upstream(slot, options.fd, null, 0);
    this.#nextTag = this.#nextTag === 0x7fffffff ? 1 : this.#nextTag + 1;
    this.ticks[slot] = options.tick;
    this.kinds[slot] = options.kind;
    this.segmentLimits[slot] = 65535;
    this.bulk[slot] = 0;
    this.keepsErrors[slot] = 0;
    this.filtered[slot] = 0;
    this.ways[slot] = options.way;
    this.traits[slot] = options.traits;
    this.priorities[slot] = 0;
    this.tos[slot] = 0;
    // The parent, which is found by the client's endpoint, is told from its children, and others.
    this.#owners[slot] = options.owner ?? ((options.traits & (IS_CHILD | PROXIED)) === 0 ? NOBODY : slot + 1);
    this.#slots.set(words, at, this.#owners[slot], slot);
    this.#byAge[options.kind].append(slot);
    const client = this.#clients.open(words, at);
    client.append(slot);
    this.#clientOf[slot] = client;
    this.#clients.grew(client);
    this.#size++;
    return slot;
  }

  /** Notes that a session was used at this tick. */
  touch(slot: number, tick: number): void {
    if (this.ticks[slot] === tick) return;
    this.ticks[slot] = tick;
    this.#byAge[this.kinds[slot]].touch(slot);
    this.#clientOf[slot]!.touch(slot);
  }

  /** A session that was DNS is not any more. */
  makeOther(slot: number): void {
    if (this.kinds[slot] === OTHER) return;
    this.#byAge[DNS].remove(slot);
    this.#byAge[OTHER].append(slot);
    this.kinds[slot] = OTHER;
  }

  /**
   * Frees a slot; its events are stale from now on. The socket is the caller's to close, after this.
   * `ending`: see endings.ts.
   */
  close(slot: number, ending: number): void {
    this.#takeOut(slot);
    this.#ledger.end(slot, ending);
    this.#freeSlots.push(slot);
  }

  /** Frees the slot of a session that lives on in another process: it has no ending here. */
  forget(slot: number): void {
    this.#takeOut(slot);
    this.#ledger.forget(slot);
    this.#freeSlots.push(slot);
  }

  /** Lists all sessions, the least recently used first. */
  byAge(): number[] {
    const slots: number[] = [];
    for (const list of this.#byAge) {
      for (let slot = list.first; slot >= 0; slot = this.#links.next[slot]) slots.push(slot);
    }
    return slots.sort((a, b) => this.ticks[a] - this.ticks[b]);
  }

  #takeOut(slot: number): void {
    const at = slot * ADDRESS_WORDS;
    this.#slots.delete(this.addresses, at, this.#owners[slot]);
    this.#byAge[this.kinds[slot]].remove(slot);
    const client = this.#clientOf[slot]!;
    client.remove(slot);
    this.#clientOf[slot] = null;
    if (client.size === 0) this.#clients.close(this.addresses, at);
    this.#size--;
  }

  #growTo(): number {
    const before = this.ticks.length;
    // Never more than the ledger has rows: so many live sessions there may be.
    const slots = Math.min(Math.max(INITIAL_SLOTS, before * 2), this.tags.length);
    const copy = <T extends Int32Array | Uint8Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.ticks = copy(new Int32Array(slots), this.ticks);
    this.kinds = copy(new Uint8Array(slots), this.kinds);
    this.segmentLimits = copy(new Int32Array(slots), this.segmentLimits);
    this.bulk = copy(new Uint8Array(slots), this.bulk);
    this.keepsErrors = copy(new Uint8Array(slots), this.keepsErrors);
    this.filtered = copy(new Uint8Array(slots), this.filtered);
    this.traits = copy(new Uint8Array(slots), this.traits);
    this.priorities = copy(new Int32Array(slots), this.priorities);
    this.tos = copy(new Uint8Array(slots), this.tos);
    this.ways = copy(new Int32Array(slots), this.ways);
    this.queued = copy(new Uint8Array(slots), this.queued);
    this.#owners = copy(new Int32Array(slots), this.#owners);
    this.#links.grow(slots);
    this.#clientLinks.grow(slots);
    // The lowest is used next.
    for (let slot = slots - 1; slot > before; slot--) this.#freeSlots.push(slot);
    return before;
  }
}
