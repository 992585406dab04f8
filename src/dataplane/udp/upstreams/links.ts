/**
 * The links of a worker's sessions with upstream proxies, and the two ways through them: a header stands
 * before each datagram.
 * @module
 */
import { EAGAIN, ECONNREFUSED } from "../../../../ffi/consts.ts";
import { PinnedMemory } from "../../../../ffi/memory.ts";
import type { ReceiveBatch } from "../../../../ffi/sockets/receive_batch.ts";
import { SendBatch } from "../../../../ffi/sockets/send_batch.ts";
import { makeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import type { WorkerContext } from "../../context.ts";
import { copyAddress } from "../../shared/addresses.ts";
import { ADDRESS_WORDS } from "../../shared/columns.ts";
import { bytesUp } from "../../shared/ledger.ts";
import { COUNTER } from "../../shared/state.ts";
import type { GivenLink } from "../../handover/estate.ts";
import { type Arrival, HELD_DESTINATION, type HeldQueue } from "../flows/held.ts";
import { portUnreachable, type Undeliverable, type Unreachable } from "../unreachable.ts";
import type { Association, SocksProtocol } from "./association.ts";
import { type AssociationParts, Associations } from "./associations.ts";
import { Forwarding } from "./forwarding.ts";
import type { Link } from "./link.ts";
import type { UdpUpstream } from "./upstreams.ts";

/** Messages of a send, and the room for the header of each. */
const MESSAGES = 64;
const HEADER_BYTES = 64;
/** The part of an answer that is looked at: the longest header, with a name, and some. */
const HEAD_BYTES = 320;

/** Parts of the links. */
export type LinkParts = Omit<AssociationParts, "refuse"> & { readonly unreachable: Unreachable };

/** The links. */
export class Links {
  readonly associations: Associations;
  readonly #context: WorkerContext;
  readonly #parts: LinkParts;
  readonly #links: (Link | undefined)[] = [];
  readonly #counters: Float64Array<SharedArrayBuffer>;
  readonly #send = new SendBatch(MESSAGES, 2 * MESSAGES);
  readonly #lengths = new Int32Array(MESSAGES);
  readonly #headers = new PinnedMemory(MESSAGES * HEADER_BYTES);
  readonly #header: readonly Uint8Array[];
  readonly #ends = { client: makeSockaddr(), destination: makeSockaddr() };
  readonly #clientWords = new Int32Array(this.#ends.client.buffer);
  readonly #destinationWords = new Int32Array(this.#ends.destination.buffer);
  readonly #heads = new Map<ReceiveBatch, readonly Uint8Array[]>();
  readonly #undeliverable = new Int32Array(2 * ADDRESS_WORDS);
  /** The session whose messages are in the send. */
  #slot = -1;

  constructor(context: WorkerContext, parts: LinkParts) {
    this.#context = context;
    this.#parts = parts;
    this.#counters = context.counters;
    const { bytes } = this.#headers;
    this.#header = Array.from(
      { length: MESSAGES },
      (_, k) => bytes.subarray(k * HEADER_BYTES, (k + 1) * HEADER_BYTES),
    );
    this.associations = new Associations(context, { ...parts, refuse: (queue) => this.refuse(queue) });
  }

  /** Gives a new session an association with a SOCKS5 proxy. */
  associate(slot: number, upstream: UdpUpstream, protocol: SocksProtocol): void {
    const tag = this.#parts.table.tags[slot];
    this.#links[slot] = this.associations.open({ slot, tag }, upstream, protocol);
    this.#context.ledgers.udp.through(slot, upstream.carrier);
  }

  /** Gives a new session its tie to an upstream that takes datagrams at once. */
  attach(slot: number, link: Forwarding): void {
    this.#links[slot] = link;
    link.upstream.dialled(1);
    this.#context.ledgers.udp.through(slot, link.upstream.carrier);
    this.#context.ledgers.udp.upstream(slot, this.#parts.table.fds[slot], link.relay, 0);
  }

  /** The upstream of a session that it has failed; null: it does its work, or tries to. */
  failedOf(slot: number): UdpUpstream | null {
    const link = this.#links[slot];
    return link === undefined || link.isBusy ? null : link.upstream;
  }

  /** Sends a session's datagram on, with others of it after {@linkcode flush}; or has it wait. */
  pass(slot: number, arrival: Arrival): void {
    const link = this.#links[slot]!;
    if (!link.isUp) {
      if (!this.associations.hold(link as Association, arrival)) this.#refuseArrival(arrival);
      return;
    }
    if (slot !== this.#slot) this.flush();
    this.#slot = slot;
    const { batch, i, destination, segmentSize } = arrival;
    copyAddress(batch.words, batch.name(i), this.#clientWords, 0);
    copyAddress(batch.words, destination, this.#destinationWords, 0);
    const length = batch.length(i);
    const step = segmentSize > 0 ? segmentSize : Math.max(1, length);
    let at = 0;
    do {
      this.#add(link, batch, (batch.dataLow(i) + at) | 0, Math.min(step, length - at));
      at += step;
    } while (at < length);
  }

  /** Sends what was passed. */
  flush(): void {
    const send = this.#send;
    const fd = this.#slot < 0 ? -1 : this.#parts.table.fds[this.#slot];
    for (let k = 0; k < send.count;) {
      const sent = send.send(fd, k);
      if (sent > 0) {
        for (const end = k + sent; k < end; k++) {
          this.#counters[COUNTER.udpUp]++;
          this.#context.ledgers.udp.bytes[bytesUp(this.#slot)] += this.#lengths[k];
        }
      } else {
        // Full, as it will be for the next too; or larger than a datagram may be with the header before it.
        const lost = sent === -EAGAIN ? send.count - k : 1;
        this.#counters[COUNTER.udpDropped] += lost;
        if (sent === -ECONNREFUSED) this.refused(this.#slot);
        k += lost;
      }
    }
    send.clear();
    this.#slot = -1;
  }

  /**
   * Reads what stands before a session's answer, and writes over the address that it came from the one that
   * it is from. Where the data begins; -1: it is dropped.
   */
  unwrap(slot: number, batch: ReceiveBatch, i: number): number {
    const link = this.#links[slot]!;
    const { client, destination } = this.#context.ledgers.udp.columns;
    copyAddress(destination, slot * ADDRESS_WORDS, this.#destinationWords, 0);
    const head = this.#headsOf(batch)[i];
    const begin = link.readHeader(head, Math.min(batch.length(i), HEAD_BYTES), this.#ends.destination);
    const isOfFamily = ((this.#destinationWords[0] ^ client[slot * ADDRESS_WORDS]) & 0xffff) === 0;
    if (begin < 0 || !isOfFamily) {
      this.#counters[COUNTER.udpDropped]++;
      return -1;
    }
    copyAddress(this.#destinationWords, 0, batch.words, batch.name(i));
    return begin;
  }

  /** Nobody listens where a session's datagrams go: its client is told what a server would tell. */
  refused(slot: number): void {
    const { client, destination } = this.#context.ledgers.udp.columns;
    const words = this.#undeliverable;
    copyAddress(client, slot * ADDRESS_WORDS, words, 0);
    copyAddress(destination, slot * ADDRESS_WORDS, words, ADDRESS_WORDS);
    this.#refuse({ words, client: 0, destination: ADDRESS_WORDS, length: 0 });
  }

  /** Tells the clients of datagrams that they are refused, and forgets them. */
  refuse(queue: HeldQueue): void {
    for (const { words, bytes } of queue.datagrams) {
      this.#counters[COUNTER.udpRefused]++;
      this.#refuse({ words, client: 0, destination: HELD_DESTINATION, length: bytes.length });
    }
    queue.clear();
  }

  /** Tells whether a session may go on in another process: not one that waits for its association. */
  mayGoOn(slot: number): boolean {
    const link = this.#links[slot];
    return this.#parts.table.fds[slot] >= 0 && (link === undefined || link.isUp);
  }

  /** Describes a session's tie for another process, with its connection; null: it has none. */
  give(slot: number): (Omit<GivenLink, "session"> & { readonly fd: number }) | null {
    const link = this.#links[slot];
    if (link === undefined) return null;
    const { upstream, relay } = link;
    const common = { upstream: upstream.settings.name, relay: [...relay] };
    return link instanceof Forwarding
      ? { ...common, choice: -1, hasHeader: link.hasHeader, fd: -1 }
      : { ...common, ...this.associations.give(slot), hasHeader: false };
  }

  /** Gives a session that another process has begun its tie. `connection`: of an association. */
  inherit(slot: number, given: GivenLink, upstream: UdpUpstream, connection: number): void {
    if (given.choice < 0) {
      const link = new Forwarding(upstream, given.hasHeader);
      link.relay.set(given.relay);
      return this.attach(slot, link);
    }
    this.associate(slot, upstream, upstream.settings.protocol as SocksProtocol);
    this.associations.inherit(slot, given, connection);
  }

  /** A session is about to be closed. */
  closing(slot: number): void {
    if (this.#links[slot] instanceof Forwarding) this.#links[slot].upstream.dialled(-1);
    this.#links[slot] = undefined;
    this.associations.closing(slot);
  }

  #add(link: Link, batch: ReceiveBatch, low: number, length: number): void {
    const send = this.#send;
    if (send.count === MESSAGES) {
      const slot = this.#slot;
      this.flush();
      this.#slot = slot;
    }
    const k = send.count;
    const header = link.writeHeader(this.#header[k], this.#ends);
    send.begin(link.relay, 0);
    if (header > 0) send.add((this.#headers.low + k * HEADER_BYTES) | 0, this.#headers.high, header);
    if (length > 0) send.add(low, batch.high, length);
    this.#lengths[k] = length;
  }

  #refuseArrival({ batch, i, destination }: Arrival): void {
    this.#counters[COUNTER.udpRefused]++;
    this.#refuse({ words: batch.words, client: batch.name(i), destination, length: batch.length(i) });
  }

  #refuse(datagram: Undeliverable): void {
    this.#parts.unreachable.tell(portUnreachable(datagram), datagram);
  }

  #headsOf(batch: ReceiveBatch): readonly Uint8Array[] {
    let heads = this.#heads.get(batch);
    if (heads === undefined) {
      heads = Array.from({ length: batch.capacity }, (_, i) => {
        const at = batch.dataOffset(i);
        return batch.bytes.subarray(at, at + HEAD_BYTES);
      });
      this.#heads.set(batch, heads);
    }
    return heads;
  }
}
