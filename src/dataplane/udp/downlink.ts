/**
 * UDP from servers to clients: takes what has come to the sessions' upstream sockets and sends it through the
 * raw sockets, each datagram from the address and port that it came from. Datagrams of several sessions leave
 * with one call.
 * @module
 */
import { AF_INET, EAGAIN, ECONNREFUSED } from "../../../ffi/consts.ts";
import type { ReceiveBatch } from "../../../ffi/sockets/receive_batch.ts";
import { SendBatch } from "../../../ffi/sockets/send_batch.ts";
import type { WorkerContext } from "../context.ts";
import type { RawSockets } from "../orders.ts";
import { ADDRESS_WORDS } from "../shared/columns.ts";
import { bytesDown } from "../shared/ledger.ts";
import { COUNTER } from "../shared/state.ts";
import { setTosAndPriority } from "../sockets/udp.ts";
import { udpChecksum } from "./checksum.ts";
import type { UdpSessions } from "./sessions.ts";
import { MEETS_ERRORS, PROXIED, type UdpTable } from "./table.ts";
import type { Links } from "./upstreams/links.ts";
import type { Ways } from "./ways/ways.ts";

/** Of one session and turn, so that a fast sender does not keep others waiting. */
const ROUNDS_PER_TURN = 4;
/** Number of datagrams at once that are bulk. */
const BULK = 16;
/** Messages of a send: header and data are two pieces. */
const MESSAGES = 64;

/** Knowledge of the endpoints that a session has sent to. */
export interface SourceFilter {
  /** Tells whether a session has sent to the struct sockaddr at `at` in `words`. */
  admits(slot: number, words: Int32Array, at: number): boolean;
}

/** Of each message that waits to be sent: its length and its session. */
class Accounts {
  readonly lengths = new Int32Array(MESSAGES);
  readonly slots = new Int32Array(MESSAGES);
}

/** Parts of the downlink. */
export interface DownlinkParts {
  readonly table: UdpTable;
  readonly sessions: UdpSessions;
  readonly batch: ReceiveBatch;
  readonly filter: SourceFilter;
  readonly senders: RawSockets;
  readonly links: Links;
  /** SO_PRIORITY of the senders, 0 for none. */
  readonly priority: number;
}

/** The downlink of a worker. */
export class UdpDownlink {
  readonly #context: WorkerContext;
  readonly #table: UdpTable;
  readonly #sessions: UdpSessions;
  readonly #batch: ReceiveBatch;
  readonly #counters: Float64Array<SharedArrayBuffer>;
  readonly #bytes: Float64Array<SharedArrayBuffer>;
  readonly #filter: SourceFilter;
  readonly #ways: Ways;
  readonly #senders: RawSockets;
  readonly #links: Links;
  readonly #ipv4 = new SendBatch(MESSAGES, 2 * MESSAGES);
  readonly #ipv6 = new SendBatch(MESSAGES, 2 * MESSAGES);
  /** The messages in #ipv4 and #ipv6, for the counters. */
  readonly #sent4 = new Accounts();
  readonly #sent6 = new Accounts();
  /** The TOS of the IPv4 sender, where it has a priority. */
  #tos4 = 0;
  readonly #priority: number;
  /** Places of the batch that hold what is still to be sent. */
  #used = 0;

  constructor(context: WorkerContext, parts: DownlinkParts) {
    this.#context = context;
    this.#table = parts.table;
    this.#sessions = parts.sessions;
    this.#batch = parts.batch;
    this.#counters = context.counters;
    this.#bytes = context.ledgers.udp.bytes;
    this.#filter = parts.filter;
    this.#ways = parts.sessions.ways;
    this.#senders = parts.senders;
    this.#links = parts.links;
    this.#priority = parts.priority;
  }

  /**
   * Takes datagrams from a session's socket, up to a turn's share. Returns true: the socket was seen empty.
   */
  receive(slot: number): boolean {
    const batch = this.#batch;
    const fd = this.#table.fds[slot];
    if (fd < 0) return true; // its upstream is gone
    const isProxied = (this.#table.traits[slot] & PROXIED) !== 0;
    // Where the socket keeps ICMP errors, less than what there is room for may mean an error instead of an
    // empty queue.
    const meetsErrors = this.#table.keepsErrors[slot] === MEETS_ERRORS;
    for (let round = 0; round < ROUNDS_PER_TURN; round++) {
      if (this.#used === batch.capacity) this.flush();
      const room = batch.capacity - this.#used;
      const count = batch.receive(fd, this.#used);
      if (count === -EAGAIN) return true;
      if (count === -ECONNREFUSED && isProxied) this.#links.refused(slot);
      if (count < 0) continue; // the error of a datagram that is gone; reading it has cleared it
      if (count >= BULK) this.#sessions.expectBulk(slot);
      const first = this.#used;
      this.#used += count;
      for (let i = first; i < first + count; i++) {
        if (isProxied) this.#unwrap(slot, i);
        else this.#pass(slot, i);
      }
      if (count < room && !meetsErrors && !isProxied) return true;
    }
    return false;
  }

  /** Sends what was taken. */
  flush(): void {
    if (this.#ipv4.count > 0) this.#send(this.#ipv4, this.#sent4, this.#senders.ipv4);
    if (this.#ipv6.count > 0) this.#send(this.#ipv6, this.#sent6, this.#senders.ipv6);
    this.#used = 0;
  }

  #pass(slot: number, i: number): void {
    const batch = this.#batch;
    const from = batch.name(i);
    if (!this.#filter.admits(this.#ways.leaderOf(slot), batch.words, from)) {
      this.#counters[COUNTER.udpFiltered]++;
      return;
    }
    this.#ways.restore(slot, batch.words, from, this.#context.clock.tick);
    batch.inspect(i);
    const length = batch.length(i);
    const step = batch.segmentSize > 0 ? batch.segmentSize : length;
    let at = 0;
    do {
      this.#add(slot, i, at, Math.min(step, length - at));
      at += step;
    } while (at < length);
  }

  /** Passes on what an upstream has sent on. */
  #unwrap(slot: number, i: number): void {
    const batch = this.#batch;
    const begin = this.#links.unwrap(slot, batch, i);
    if (begin < 0) return;
    if (!this.#filter.admits(slot, batch.words, batch.name(i))) {
      this.#counters[COUNTER.udpFiltered]++;
      return;
    }
    batch.inspect(i);
    this.#add(slot, i, begin, batch.length(i) - begin);
  }

  /** One datagram: `length` bytes of the i-th place from `offset` on. */
  #add(slot: number, i: number, offset: number, length: number): void {
    const batch = this.#batch;
    const { addresses } = this.#table;
    const from = batch.name(i);
    const to = slot * ADDRESS_WORDS;
    const head = batch.words[from];
    const ipv4 = (head & 0xffff) === AF_INET;
    const send = ipv4 ? this.#ipv4 : this.#ipv6;
    const accounts = ipv4 ? this.#sent4 : this.#sent6;
    const tos = this.#context.settings.udp.tos ? batch.tos : 0;
    const changesTos = ipv4 && this.#priority !== 0 && tos !== this.#tos4;
    if (send.count === send.capacity || (changesTos && send.count > 0)) {
      this.#send(send, accounts, ipv4 ? this.#senders.ipv4 : this.#senders.ipv6);
    }
    if (changesTos) setTosAndPriority(this.#senders.ipv4, this.#tos4 = tos, this.#priority);
    accounts.lengths[send.count] = length;
    accounts.slots[send.count] = slot;
    send.begin(addresses, to);
    send.sendFrom(batch.words, from);
    if (tos !== 0 && (!ipv4 || this.#priority === 0)) send.setTos(tos, ipv4);
    // From the sender's port to the client's.
    const ports = (head >>> 16) | (addresses[to] & 0xffff0000);
    const checksum = ipv4
      ? udpChecksum(
        batch,
        batch.dataOffset(i) + offset,
        length,
        batch.words[from + 1],
        addresses[to + 1],
        ports,
      )
      : 0;
    send.addUdpHeader(ports, length, checksum);
    if (length > 0) send.add((batch.dataLow(i) + offset) | 0, batch.high, length);
  }

  #send(send: SendBatch, { lengths, slots }: Accounts, fd: number): void {
    const counters = this.#counters;
    for (let k = 0; k < send.count;) {
      const sent = send.send(fd, k);
      if (sent > 0) {
        counters[COUNTER.udpDown] += sent;
        for (const end = k + sent; k < end; k++) this.#bytes[bytesDown(slots[k])] += lengths[k];
      } else {
        // Forbidden by a firewall, no route, or full, as it will be for the next too.
        const lost = sent === -EAGAIN ? send.count - k : 1;
        counters[COUNTER.udpDropped] += lost;
        k += lost;
      }
    }
    send.clear();
  }
}
