/**
 * UDP from servers to clients: takes what has come to the sessions' upstream sockets and sends it through the
 * raw sockets, each datagram from the address and port that it came from. Datagrams of several sessions leave
 * with one call.
 * @module
 */
import { AF_INET, EAGAIN } from "../../../ffi/consts.ts";
import type { ReceiveBatch } from "../../../ffi/sockets/receive_batch.ts";
import { SendBatch } from "../../../ffi/sockets/send_batch.ts";
import { udpChecksum } from "./checksum.ts";
import type { RawSockets } from "../orders.ts";
import { COUNTER } from "../shared/state.ts";
import type { UdpSessions } from "./sessions.ts";
import { ADDRESS_WORDS } from "./table.ts";

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

/** The downlink of a worker. */
export class UdpDownlink {
  readonly #sessions: UdpSessions;
  readonly #batch: ReceiveBatch;
  readonly #counters: Float64Array<SharedArrayBuffer>;
  readonly #filter: SourceFilter | null;
  readonly #tos: boolean;
  readonly #meetsErrors: boolean;
  readonly #senders: RawSockets;
  readonly #ipv4 = new SendBatch(MESSAGES, 2 * MESSAGES);
  readonly #ipv6 = new SendBatch(MESSAGES, 2 * MESSAGES);
  /** Lengths of the messages in #ipv4 and #ipv6, for the counters. */
  readonly #lengths4 = new Int32Array(MESSAGES);
  readonly #lengths6 = new Int32Array(MESSAGES);
  /** Places of the batch that hold what is still to be sent. */
  #used = 0;

  constructor(
    context: {
      sessions: UdpSessions;
      batch: ReceiveBatch;
      counters: Float64Array<SharedArrayBuffer>;
      filter: SourceFilter | null;
      tos: boolean;
      /**
       * The sockets keep ICMP errors, so that less than what there is room for may mean an error instead of
       * an empty queue.
       */
      meetsErrors: boolean;
      senders: RawSockets;
    },
  ) {
    this.#sessions = context.sessions;
    this.#batch = context.batch;
    this.#counters = context.counters;
    this.#filter = context.filter;
    this.#tos = context.tos;
    this.#meetsErrors = context.meetsErrors;
    this.#senders = context.senders;
  }

  /**
   * Takes datagrams from a session's socket, up to a turn's share. Returns true: the socket was seen empty.
   */
  receive(slot: number): boolean {
    const batch = this.#batch;
    const { table } = this.#sessions;
    const fd = table.fds[slot];
    for (let round = 0; round < ROUNDS_PER_TURN; round++) {
      if (this.#used === batch.capacity) this.flush();
      const room = batch.capacity - this.#used;
      const count = batch.receive(fd, this.#used);
      if (count === -EAGAIN) return true;
      if (count < 0) continue; // the error of a datagram that is gone; reading it has cleared it
      if (count >= BULK) this.#sessions.expectBulk(slot);
      const first = this.#used;
      this.#used += count;
      for (let i = first; i < first + count; i++) this.#pass(slot, i);
      if (count < room && !this.#meetsErrors) return true;
    }
    return false;
  }

  /** Sends what was taken. */
  flush(): void {
    if (this.#ipv4.count > 0) this.#send(this.#ipv4, this.#lengths4, this.#senders.ipv4);
    if (this.#ipv6.count > 0) this.#send(this.#ipv6, this.#lengths6, this.#senders.ipv6);
    this.#used = 0;
  }

  #pass(slot: number, i: number): void {
    const batch = this.#batch;
    const from = batch.name(i);
    if (this.#filter !== null && !this.#filter.admits(slot, batch.words, from)) {
      this.#counters[COUNTER.udpFiltered]++;
      return;
    }
    batch.inspect(i);
    const length = batch.length(i);
    const step = batch.segmentSize > 0 ? batch.segmentSize : length;
    let at = 0;
    do {
      this.#add(slot, i, at, Math.min(step, length - at));
      at += step;
    } while (at < length);
  }

  /** One datagram: `length` bytes of the i-th place from `offset` on. */
  #add(slot: number, i: number, offset: number, length: number): void {
    const batch = this.#batch;
    const { addresses } = this.#sessions.table;
    const from = batch.name(i);
    const to = slot * ADDRESS_WORDS;
    const head = batch.words[from];
    const ipv4 = (head & 0xffff) === AF_INET;
    const send = ipv4 ? this.#ipv4 : this.#ipv6;
    const lengths = ipv4 ? this.#lengths4 : this.#lengths6;
    if (send.count === send.capacity) {
      this.#send(send, lengths, ipv4 ? this.#senders.ipv4 : this.#senders.ipv6);
    }
    lengths[send.count] = length;
    send.begin(addresses, to);
    send.sendFrom(batch.words, from);
    if (this.#tos && batch.tos !== 0) send.setTos(batch.tos, ipv4);
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

  #send(send: SendBatch, lengths: Int32Array, fd: number): void {
    const counters = this.#counters;
    for (let k = 0; k < send.count;) {
      const sent = send.send(fd, k);
      if (sent > 0) {
        counters[COUNTER.udpDown] += sent;
        for (const end = k + sent; k < end; k++) counters[COUNTER.udpBytesDown] += lengths[k];
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
