/**
 * The life of a worker's UDP sessions: limits, rules, sockets, timeouts. The table holds the facts of each.
 *
 * ```
 * first datagram ─► rule ─► limits ─► socket ─► open ─► close: silent, evicted, told to
 *                    └─► blocked  └─► refused
 * ```
 *
 * A session begins with the facts of its first datagram, and each step takes it a little further, so another
 * may come between two of them: one that holds the datagram until an answer comes.
 * @module
 */
import { EMFILE, ENFILE, EPOLLET, EPOLLIN } from "../../../ffi/consts.ts";
import { makeSockaddr, readSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { errnoCode } from "../../net/errno.ts";
import { formatEndpoint } from "../../net/ip.ts";
import { PROTOCOL_NUMBERS } from "../../policy/flow.ts";
import type { WorkerContext } from "../context.ts";
import type { Decider } from "../decider.ts";
import type { Service } from "../loop/service.ts";
import { ticks } from "../loop/wheel.ts";
import { ADDRESS_WORDS } from "../shared/columns.ts";
import { CLOSED, EVICTED, EXPIRED, FAILED, RESET } from "../shared/endings.ts";
import { COUNTER } from "../shared/state.ts";
import { SourceAddress } from "../sockets/source.ts";
import type { RouterTraffic } from "../sockets/own_addresses.ts";
import { expectBulk, openUdpUpstream } from "../sockets/udp.ts";
import { UdpAdmission } from "./admission.ts";
import { copyAddress, DNS, OTHER, type UdpTable } from "./table.ts";

/** No session for a datagram: it is lost. */
export const LOST_DATAGRAM = -1;
/** A rule blocks the flow, and the client is to be told. */
export const BLOCKED_DATAGRAM = -2;

/** Port 53 as the upper half of a struct sockaddr's first word: network order. */
const DNS_PORT = 0x3500;
/** Another that knows of sessions. */
export interface SessionWatcher {
  /** A session is about to be closed. */
  closing(slot: number): void;
}

/** Parts of the sessions. */
export interface UdpSessionParts {
  readonly table: UdpTable;
  /** Takes the events of their sockets: the slot as key, and the session's tag. */
  readonly service: Service;
  readonly watcher: SessionWatcher;
  readonly decider: Decider;
  /** null where no client is a program on the router itself. */
  readonly router: RouterTraffic | null;
}

/** The UDP sessions of a worker. */
export class UdpSessions {
  readonly #context: WorkerContext;
  readonly #parts: UdpSessionParts;
  readonly #table: UdpTable;
  readonly #counters: Float64Array<SharedArrayBuffer>;
  readonly #admission: UdpAdmission;
  readonly #source: SourceAddress;
  readonly #address = makeSockaddr();
  readonly #addressWords = new Int32Array(this.#address.buffer);

  constructor(context: WorkerContext, parts: UdpSessionParts) {
    this.#context = context;
    this.#parts = parts;
    this.#table = parts.table;
    this.#counters = context.counters;
    this.#admission = new UdpAdmission(context, parts.table, (slot) => this.#close(slot, EVICTED));
    this.#source = new SourceAddress(parts.router);
  }

  /**
   * The session of the client whose struct sockaddr is at `at`, opened if need be; it is about to send to the
   * one at `destination`. Its slot, or LOST_DATAGRAM or BLOCKED_DATAGRAM if there can be none.
   */
  use(words: Int32Array, at: number, destination: number): number {
    const slot = this.#table.find(words, at);
    const dns = (words[destination] >>> 16) === DNS_PORT;
    if (slot < 0) return this.#begin(words, at, destination, dns ? DNS : OTHER);
    this.#table.touch(slot, this.#context.clock.tick);
    if (!dns) this.#table.makeOther(slot);
    return slot;
  }

  /** A session receives many datagrams at once. */
  expectBulk(slot: number): void {
    if (this.#table.bulk[slot] === 1) return;
    this.#table.bulk[slot] = 1;
    expectBulk(this.#table.fds[slot]);
  }

  /** Ends what has been silent for too long. */
  turn(): void {
    const { dnsTicks, idleTicks } = this.#context.settings.udp;
    this.#expire(DNS, dnsTicks);
    this.#expire(OTHER, idleTicks);
  }

  /** Milliseconds until a session may be due, -1 for ever. */
  timeout(): number {
    const { dnsTicks, idleTicks } = this.#context.settings.udp;
    const due = Math.min(this.#due(DNS, dnsTicks), this.#due(OTHER, idleTicks));
    return due === Infinity ? -1 : this.#context.clock.millisecondsTo(due);
  }

  /** Tells whether no session was used within the last `milliseconds`. */
  silentFor(milliseconds: number): boolean {
    return this.#table.newestTick() < this.#context.clock.tick - ticks(milliseconds);
  }

  /** Ends a session, if it lives. */
  abort(slot: number, tag: number): void {
    if (tag !== 0 && this.#table.tags[slot] === tag) this.#close(slot, RESET);
  }

  /** Ends all sessions. */
  closeAll(): void {
    for (let slot = this.#table.oldest(); slot >= 0; slot = this.#table.oldest()) this.#close(slot, CLOSED);
  }

  #begin(words: Int32Array, at: number, destination: number, kind: number): number {
    const { decider } = this.#parts;
    const rule = decider.decide(PROTOCOL_NUMBERS.udp, words, at, destination);
    const blocking = decider.blocking(rule);
    if (blocking !== null) {
      this.#counters[COUNTER.udpRefused]++;
      return blocking.silent ? LOST_DATAGRAM : BLOCKED_DATAGRAM;
    }
    const slot = this.#admission.admit(words, at) ? this.#open(words, at, kind) : LOST_DATAGRAM;
    if (slot < 0) return slot;
    const { udp } = this.#context.ledgers;
    udp.decided(slot, rule);
    udp.destination(slot, words, destination);
    return slot;
  }

  /** A session for an endpoint that was admitted. Its slot, or LOST_DATAGRAM. */
  #open(words: Int32Array, at: number, kind: number): number {
    let fd = this.#dial(words, at, kind);
    if (fd === -EMFILE || fd === -ENFILE) {
      if (!this.#admission.makeRoom(words, at)) return this.#giveBack(words, at, "descriptors");
      fd = this.#dial(words, at, kind);
    }
    if (fd < 0) {
      this.#counters[COUNTER.failed]++;
      this.#note("UDP session failed", words, at, -fd);
      return this.#giveBack(words, at, null);
    }
    const { clock, loop, settings } = this.#context;
    const slot = this.#table.open(words, at, { fd, tick: clock.tick, time: clock.time, kind });
    // With a client's own address and port: conntrack lets nothing but answers through, and errors go to the
    // client by themselves.
    const isOurs = settings.source === "router" || this.#source.own;
    this.#table.keepsErrors[slot] = settings.source !== "client" || this.#source.own ? 1 : 0;
    this.#table.filtered[slot] = settings.udp.filter && isOurs ? 1 : 0;
    const tag = this.#table.tags[slot];
    if (loop.watch(this.#parts.service, fd, EPOLLIN | EPOLLET, slot, tag) < 0) {
      this.#close(slot, FAILED);
      this.#admission.refuse("epoll");
      return LOST_DATAGRAM;
    }
    this.#counters[COUNTER.udpOpened]++;
    this.#note("UDP session opened", words, at);
    return slot;
  }

  /** An upstream socket for a client. The descriptor or -errno. */
  #dial(words: Int32Array, at: number, kind: number): number {
    const { source: from, udp } = this.#context.settings;
    const source = this.#source;
    copyAddress(words, at, this.#addressWords, 0);
    const family = words[at] & 0xffff;
    const address = source.choose(this.#address, from);
    const options = {
      tos: udp.tos,
      errors: from !== "client" || source.own,
      stream: kind === OTHER,
      mark: source.mark,
    };
    const fd = openUdpUpstream(family, address, options);
    if (fd >= 0 || !source.changePort(fd)) return fd;
    this.#counters[COUNTER.portChanged]++;
    return openUdpUpstream(family, address, options);
  }

  #giveBack(words: Int32Array, at: number, limit: string | null): number {
    this.#admission.leave(words, at);
    this.#admission.refuse(limit);
    return LOST_DATAGRAM;
  }

  /** Writes a line about a client's session into the log, at level debug; `error`: an errno, 0 for none. */
  #note(message: string, words: Int32Array, at: number, error = 0): void {
    const { log } = this.#context;
    if (!log.enabled("debug")) return;
    copyAddress(words, at, this.#addressWords, 0);
    const client = formatEndpoint(readSockaddr(this.#address));
    log.debug(message, { client, ...(error === 0 ? {} : { error: errnoCode(error) }) });
  }

  #expire(kind: number, idleTicks: number): void {
    const { tick } = this.#context.clock;
    const table = this.#table;
    for (
      let slot = table.oldestOfKind(kind);
      slot >= 0 && tick - table.ticks[slot] >= idleTicks;
      slot = table.oldestOfKind(kind)
    ) this.#close(slot, EXPIRED);
  }

  #due(kind: number, idleTicks: number): number {
    const slot = this.#table.oldestOfKind(kind);
    return slot < 0 ? Infinity : this.#table.ticks[slot] + idleTicks;
  }

  #close(slot: number, ending: number): void {
    const { addresses, fds } = this.#table;
    const fd = fds[slot];
    this.#parts.watcher.closing(slot);
    this.#note("UDP session closed", addresses, slot * ADDRESS_WORDS);
    // Before its descriptor is somebody else's: what a failed worker leaves in the ledger is closed.
    this.#table.close(slot, ending);
    closeFd(fd);
    this.#admission.leave(addresses, slot * ADDRESS_WORDS);
  }
}
