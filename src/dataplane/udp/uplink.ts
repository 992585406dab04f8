/**
 * UDP from clients to servers: takes what the listeners have and sends it on through the sessions' upstream
 * sockets. Datagrams of one client to one server that came together leave together, as one train that the
 * kernel cuts (UDP_SEGMENT).
 * @module
 */
import { AF_INET, EAGAIN, EINVAL, EIO, EMSGSIZE } from "../../../ffi/consts.ts";
import type { ReceiveBatch } from "../../../ffi/sockets/receive_batch.ts";
import { SendBatch } from "../../../ffi/sockets/send_batch.ts";
import type { WorkerContext } from "../context.ts";
import { copyAddress, sameAddress } from "../shared/addresses.ts";
import { bytesUp } from "../shared/ledger.ts";
import { COUNTER } from "../shared/state.ts";
import { mayBeJoined } from "./asked/whole.ts";
import type { UdpFlows } from "./flows/flows.ts";
import type { Arrival, HeldQueue } from "./flows/held.ts";
import { SessionGroups } from "./groups.ts";
import { BLOCKED_DATAGRAM, type UdpSessions } from "./sessions.ts";
import { forbidFragments, setTosAndPriority } from "../sockets/udp.ts";
import { ADDRESS_WORDS } from "../shared/columns.ts";
import { PROXIED, type UdpTable, UNFRAGMENTED } from "./table.ts";
import type { Links } from "./upstreams/links.ts";
import { portUnreachable, type Undeliverable, type Unreachable } from "./unreachable.ts";
import type { Ways } from "./ways/ways.ts";

/** Of one listener and turn, so that a flood does not keep others waiting. */
const ROUNDS_PER_TURN = 8;
/** linux/udp.h: UDP_MAX_SEGMENTS, and what fits into an IP packet. */
const MAX_SEGMENTS = 64;
const MAX_TRAIN_BYTES = 65_487;
const NONE = -1;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A listener, and its own address. */
export interface UdpListener {
  readonly fd: number;
  /** A struct sockaddr. */
  readonly words: Int32Array;
}

/** A question about each session's destinations. */
export interface DestinationWatcher {
  /** The session is sending to the struct sockaddr at `at` in `words`. */
  sending(slot: number, words: Int32Array, at: number): void;
}

/** Knowledge of errors that datagrams have met on their way. */
export interface ErrorSource {
  /** Tells the session's client of its errors. How many there were. */
  drain(slot: number): number;
  /** Tells the session's client that a datagram, sent as `message`, is larger than the path allows. */
  tellSize(slot: number, message: SendBatch, datagram: Undeliverable): void;
}

/** Parts of the uplink. */
export interface UplinkParts {
  readonly table: UdpTable;
  readonly sessions: UdpSessions;
  readonly batch: ReceiveBatch;
  readonly watcher: DestinationWatcher;
  readonly unreachable: Unreachable;
  readonly errors: ErrorSource;
  readonly flows: UdpFlows;
  readonly links: Links;
}

/** The uplink of a worker. */
export class UdpUplink {
  readonly #context: WorkerContext;
  readonly #table: UdpTable;
  readonly #batch: ReceiveBatch;
  readonly #counters: Float64Array<SharedArrayBuffer>;
  readonly #bytes: Float64Array<SharedArrayBuffer>;
  readonly #watcher: DestinationWatcher;
  readonly #unreachable: Unreachable;
  readonly #errors: ErrorSource;
  readonly #flows: UdpFlows;
  readonly #links: Links;
  readonly #ways: Ways;
  readonly #send: SendBatch;
  readonly #single = new SendBatch(1, 1);
  /** The addresses of a datagram that came to nothing. */
  readonly #undeliverable = new Int32Array(2 * ADDRESS_WORDS);

  readonly #arrivalOf: Mutable<Arrival>;

  // Of each datagram of the batch: what inspect() told.
  readonly #destinations: Int32Array;
  readonly #tosValues: Int32Array;
  readonly #segmentSizes: Int32Array;
  readonly #fragmented: Uint8Array;
  readonly #groups: SessionGroups;
  // Of each message to be sent: its first datagram, and how many are in it.
  readonly #trainFirst: Int32Array;
  readonly #trainCount: Int32Array;

  constructor(context: WorkerContext, parts: UplinkParts) {
    this.#context = context;
    this.#table = parts.table;
    this.#batch = parts.batch;
    this.#counters = context.counters;
    this.#bytes = context.ledgers.udp.bytes;
    this.#watcher = parts.watcher;
    this.#unreachable = parts.unreachable;
    this.#errors = parts.errors;
    this.#flows = parts.flows;
    this.#links = parts.links;
    this.#ways = parts.sessions.ways;
    const { capacity } = parts.batch;
    this.#arrivalOf = { batch: parts.batch, i: 0, destination: 0, tos: 0, segmentSize: 0 };
    this.#send = new SendBatch(capacity, capacity);
    const numbers = () => new Int32Array(capacity);
    this.#destinations = numbers();
    this.#tosValues = numbers();
    this.#segmentSizes = numbers();
    this.#fragmented = new Uint8Array(capacity);
    this.#groups = new SessionGroups(capacity);
    this.#trainFirst = numbers();
    this.#trainCount = numbers();
  }

  /**
   * Takes datagrams from a listener's queue, up to a turn's share. Returns true: the queue was seen empty.
   */
  receive(listener: UdpListener): boolean {
    const batch = this.#batch;
    for (let round = 0; round < ROUNDS_PER_TURN; round++) {
      const count = batch.receive(listener.fd, 0);
      if (count <= 0) return true; // -EAGAIN; other errors are those of datagrams that are gone
      this.#groups.clear();
      for (let i = 0; i < count; i++) this.#take(i, listener);
      this.#passOnAll();
      if (count < batch.capacity) return true;
    }
    return false;
  }

  /** Takes datagrams that have waited, as if they had come now. Between turns of {@linkcode receive}. */
  replay(queue: HeldQueue): void {
    this.#groups.clear();
    const { datagrams } = queue;
    for (let i = 0; i < datagrams.length; i++) {
      const { words, bytes, tos, segmentSize } = datagrams[i];
      this.#destinations[i] = this.#batch.put(i, words, bytes);
      this.#tosValues[i] = tos;
      this.#segmentSizes[i] = segmentSize;
      this.#fragmented[i] = 0;
    }
    const count = datagrams.length;
    queue.clear(); // they may have to wait in it once more
    for (let i = 0; i < count; i++) this.#lead(i);
    this.#passOnAll();
  }

  #passOnAll(): void {
    for (let group = 0; group < this.#groups.count; group++) this.#passOn(group);
  }

  #take(i: number, listener: UdpListener): void {
    const batch = this.#batch;
    batch.inspect(i);
    const { words, destination } = batch;
    if (destination < 0 || sameAddress(words, destination, listener.words)) {
      // Somebody sent to the listener itself: there is nowhere to go.
      this.#counters[COUNTER.looped]++;
      return;
    }
    this.#destinations[i] = destination;
    this.#tosValues[i] = batch.tos;
    this.#segmentSizes[i] = batch.segmentSize;
    const mayCut = batch.wasFragmented || mayBeJoined(batch.hopLimit, batch.length(i));
    this.#fragmented[i] = mayCut ? 1 : 0;
    this.#lead(i);
  }

  /** Finds the session of the i-th datagram, and puts it behind the session's others. */
  #lead(i: number): void {
    const slot = this.#flows.lead(this.#arrival(i));
    if (slot === BLOCKED_DATAGRAM) this.#block(i);
    if (slot < 0) return;
    this.#watcher.sending(this.#ways.leaderOf(slot), this.#batch.words, this.#destinations[i]);
    this.#groups.add(i, slot, this.#table.tags[slot]);
  }

  /** The i-th datagram; one object tells of all, one after another. */
  #arrival(i: number): Arrival {
    const arrival = this.#arrivalOf;
    arrival.i = i;
    arrival.destination = this.#destinations[i];
    arrival.tos = this.#tosValues[i];
    arrival.segmentSize = this.#segmentSizes[i];
    return arrival;
  }

  /**
   * Answers as the kernel would have, had it known the rule: the datagram was on its way when the rule came
   * into force.
   */
  #block(i: number): void {
    const { words } = this.#batch;
    const datagram = {
      words,
      client: this.#batch.name(i),
      destination: this.#destinations[i],
      length: this.#batch.length(i),
    };
    this.#unreachable.tell(portUnreachable(datagram), datagram);
  }

  #passOn(group: number): void {
    const batch = this.#batch;
    const { first, next } = this.#groups;
    const slot = this.#groups.slots[group];
    const table = this.#table;
    // A session that was opened later in this batch may have taken its place.
    if (table.tags[slot] !== this.#groups.tags[group]) {
      for (let i = first[group]; i >= 0; i = next[i]) this.#counters[COUNTER.udpDropped]++;
      return;
    }
    if ((table.traits[slot] & PROXIED) !== 0) {
      for (let i = first[group]; i >= 0; i = next[i]) this.#links.pass(slot, this.#arrival(i));
      return this.#links.flush();
    }
    const limit = table.segmentLimits[slot];
    const send = this.#send;
    send.clear();
    let size = 0; // of each datagram of the message at hand; 0: it takes no other
    let bytes = 0;
    let previous = NONE;
    let cuts = false;
    for (let i = first[group]; i >= 0; i = next[i]) {
      const length = batch.length(i);
      const k = send.count - 1;
      cuts ||= this.#fragmented[i] === 1;
      if (
        size > 0 && length > 0 && length <= size && this.#segmentSizes[i] === 0 &&
        this.#trainCount[k] < MAX_SEGMENTS && bytes + length <= MAX_TRAIN_BYTES &&
        this.#tosValues[i] === this.#tosValues[previous] &&
        sameAddress(batch.words, this.#destinations[i], batch.words, this.#destinations[previous])
      ) {
        if (this.#trainCount[k] === 1) send.cutInto(size);
        this.#trainCount[k]++;
        send.add(batch.dataLow(i), batch.high, length);
        bytes += length;
        if (length < size) size = 0; // only the last may be shorter
      } else {
        if (this.#changesTos(slot, i)) {
          this.#flush(slot, cuts, first[group]);
          send.clear();
        }
        this.#begin(send, slot, i);
        this.#trainFirst[send.count - 1] = i;
        this.#trainCount[send.count - 1] = 1;
        send.add(batch.dataLow(i), batch.high, length);
        const segment = this.#segmentSizes[i];
        if (segment > 0 && segment < length) send.cutInto(segment);
        size = segment === 0 && length <= limit ? length : 0;
        bytes = length;
      }
      previous = i;
    }
    this.#flush(slot, cuts, first[group]);
  }

  /**
   * Sends the messages. `cuts`: what came in fragments goes in fragments: its client knows the path, and the
   * kernel cuts by what it knows of it. Datagram i is one of them.
   */
  #flush(slot: number, cuts: boolean, i: number): void {
    if (!cuts || !this.#mayNotCut(slot)) return this.#sendAll(slot);
    const fd = this.#table.fds[slot];
    const family = this.#batch.words[this.#destinations[i]] & 0xffff;
    forbidFragments(fd, family, false);
    this.#sendAll(slot);
    forbidFragments(fd, family, true);
  }

  /** Tells whether datagram i needs another TOS than the socket has: see setTosAndPriority(). */
  #changesTos(slot: number, i: number): boolean {
    const isIpv4 = (this.#batch.words[this.#destinations[i]] & 0xffff) === AF_INET;
    return isIpv4 && this.#table.priorities[slot] !== 0 && this.#table.tos[slot] !== this.#tosOf(i);
  }

  #tosOf(i: number): number {
    return this.#context.settings.udp.tos ? this.#tosValues[i] : 0;
  }

  #begin(send: SendBatch, slot: number, i: number): void {
    const { words } = this.#batch;
    const table = this.#table;
    const at = this.#destinations[i];
    const tos = this.#tosOf(i);
    const isIpv4 = (words[at] & 0xffff) === AF_INET;
    send.begin(words, at);
    if (isIpv4 && table.priorities[slot] !== 0) {
      if (table.tos[slot] === tos) return;
      setTosAndPriority(table.fds[slot], tos, table.priorities[slot]);
      table.tos[slot] = tos;
    } else if (tos !== 0) {
      send.setTos(tos, isIpv4);
    }
  }

  #sendAll(slot: number): void {
    const fd = this.#table.fds[slot];
    const send = this.#send;
    for (let k = 0; k < send.count;) {
      const sent = send.send(fd, k);
      if (sent > 0) {
        for (const end = k + sent; k < end; k++) this.#count(slot, k);
      } else if (sent === -EAGAIN) {
        // The way out is full; it will be for the next too.
        for (; k < send.count; k++) this.#counters[COUNTER.udpDropped] += this.#trainCount[k];
      } else if ((sent !== -EMSGSIZE || !this.#mayNotCut(slot)) && this.#errors.drain(slot) > 0) {
        // It was an earlier datagram's error. This one is tried again.
      } else {
        if (this.#isTrain(k)) this.#passOnSingly(slot, k, sent);
        else this.#fail(slot, this.#trainFirst[k], sent);
        k++;
      }
    }
  }

  #isTrain(k: number): boolean {
    return this.#trainCount[k] > 1 || this.#segmentSizes[this.#trainFirst[k]] > 0;
  }

  #count(slot: number, k: number): void {
    const counters = this.#counters;
    const up = bytesUp(slot);
    let i = this.#trainFirst[k];
    for (let left = this.#trainCount[k]; left > 0; left--) {
      const length = this.#batch.length(i);
      const segment = this.#segmentSizes[i];
      counters[COUNTER.udpUp] += segment > 0 ? Math.ceil(length / segment) : 1;
      this.#bytes[up] += length;
      i = this.#groups.next[i];
    }
  }

  /**
   * The kernel does not take a train: its datagrams are larger than the path's MTU, or the network card lacks
   * checksums.
   */
  #passOnSingly(slot: number, k: number, error: number): void {
    const table = this.#table;
    const first = this.#trainFirst[k];
    const size = this.#segmentSizes[first] > 0 ? this.#segmentSizes[first] : this.#batch.length(first);
    if (error === -EINVAL || error === -EMSGSIZE) {
      table.segmentLimits[slot] = Math.min(table.segmentLimits[slot], size - 1);
    } else if (error === -EIO) {
      table.segmentLimits[slot] = 0;
    }
    let i = first;
    for (let left = this.#trainCount[k]; left > 0; left--) {
      const length = this.#batch.length(i);
      const step = this.#segmentSizes[i] > 0 ? this.#segmentSizes[i] : Math.max(1, length);
      for (let at = 0; at < length; at += step) this.#sendOne(slot, i, at, Math.min(step, length - at));
      i = this.#groups.next[i];
    }
  }

  #sendOne(slot: number, i: number, offset: number, length: number): void {
    const single = this.#single;
    single.clear();
    this.#begin(single, slot, i);
    single.add((this.#batch.dataLow(i) + offset) | 0, this.#batch.high, length);
    const sent = single.send(this.#table.fds[slot], 0);
    if (sent > 0) {
      this.#counters[COUNTER.udpUp]++;
      this.#bytes[bytesUp(slot)] += length;
    } else if (sent === -EMSGSIZE && this.#mayNotCut(slot)) {
      this.#refuseLarge(slot, i);
    } else {
      this.#drop(slot, i, length, sent);
    }
  }

  /** Datagram i could not be sent as it is. */
  #fail(slot: number, i: number, error: number): void {
    const length = this.#batch.length(i);
    if (error === -EMSGSIZE && this.#mayNotCut(slot)) this.#sendOne(slot, i, 0, length);
    else this.#drop(slot, i, length, error);
  }

  #mayNotCut(slot: number): boolean {
    return (this.#table.traits[slot] & UNFRAGMENTED) !== 0;
  }

  /** The message at hand, a part of datagram i, is larger than the path allows: its client is told. */
  #refuseLarge(slot: number, i: number): void {
    this.#counters[COUNTER.udpDropped]++;
    this.#errors.tellSize(slot, this.#single, this.#describe(slot, i, this.#batch.length(i)));
  }

  /** A datagram of `length` bytes, the i-th or a part of it, could not be sent. */
  #drop(slot: number, i: number, length: number, error: number): void {
    this.#counters[COUNTER.udpDropped]++;
    this.#unreachable.tellErrno(-error, this.#describe(slot, i, length));
  }

  /** Tells whose datagram the i-th is, and to whom its client has sent it. */
  #describe(slot: number, i: number, length: number): Undeliverable {
    const words = this.#undeliverable;
    copyAddress(this.#batch.words, this.#batch.name(i), words, 0);
    copyAddress(this.#batch.words, this.#destinations[i], words, ADDRESS_WORDS);
    this.#ways.restore(slot, words, ADDRESS_WORDS);
    return { words, client: 0, destination: ADDRESS_WORDS, length };
  }
}
