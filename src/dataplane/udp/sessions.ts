/**
 * Opens and ends the UDP sessions of a worker: sockets, limits, timeouts.
 * @module
 */
import { AF_INET, EADDRINUSE, EMFILE, ENFILE, EPOLLET, EPOLLIN } from "../../../ffi/consts.ts";
import { makeSockaddr, readSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { errnoCode } from "../../net/errno.ts";
import { formatEndpoint } from "../../net/ip.ts";
import type { WorkerContext } from "../context.ts";
import type { Service } from "../loop/service.ts";
import type { RouterTraffic } from "../sockets/own_addresses.ts";
import { PerClient } from "../shared/per_client.ts";
import { COUNTER } from "../shared/state.ts";
import { anyPort } from "../sockets/transparent.ts";
import { Throttle } from "../loop/throttle.ts";
import { expectBulk, openUdpUpstream } from "../sockets/udp.ts";
import { ADDRESS_WORDS, copyAddress, DNS, OTHER, UdpTable } from "./table.ts";
import { TICK_MS, ticks } from "../loop/wheel.ts";

/** Port 53 as the upper half of a struct sockaddr's first word: network order. */
const DNS_PORT = 0x3500;
/** A session that was used within so many ticks is young. */
const YOUNG_TICKS = 1000 / TICK_MS;
/**
 * Young sessions that may be ended in one tick to make room. A flood of new endpoints would else keep a worker busy with opening and
 * closing sockets; beyond this it is refused until its own sessions are older. Clients with less than an equal share have as many for
 * themselves: a flood from a few addresses does not use up what a new client needs.
 */
const YOUNG_VICTIMS_PER_TICK = 200;

/** What else knows of sessions. */
export interface SessionWatcher {
  /** A session is about to be closed. */
  closing(slot: number): void;
}

/** The UDP sessions of a worker. */
export class UdpSessions {
  readonly table = new UdpTable();
  readonly #context: WorkerContext;
  readonly #service: Service;
  readonly #debug: boolean;
  readonly #counters: Float64Array<SharedArrayBuffer>;
  readonly #perClient: PerClient;
  readonly #router: RouterTraffic | null;
  readonly #watcher: SessionWatcher;
  readonly #address = makeSockaddr();
  readonly #addressWords = new Int32Array(this.#address.buffer);
  #victimTick = 0;
  /** For clients with an equal share or more, and for those with less. */
  readonly #youngVictims = [0, 0];
  readonly #refusals: Throttle;
  readonly #evictions: Throttle;
  /** Whether the last #dial was for a program on the router itself. */
  #dialledOwn = false;

  /** `service` takes the events of the sessions' sockets: the slot as key, and the session's tag. */
  constructor(
    context: WorkerContext,
    parts: { service: Service; watcher: SessionWatcher; router: RouterTraffic | null },
  ) {
    this.#context = context;
    this.#service = parts.service;
    this.#refusals = new Throttle(context.clock);
    this.#evictions = new Throttle(context.clock);
    this.#debug = context.log.enabled("debug");
    this.#watcher = parts.watcher;
    this.#counters = context.counters;
    this.#perClient = new PerClient(context.shared.udpClients);
    this.#router = parts.router;
  }

  /**
   * The session of the client whose struct sockaddr is at `at`, opened if need be; it is about to send to the one at `destination`.
   * Its slot, or -1 if there can be none: the datagram is lost.
   */
  use(words: Int32Array, at: number, destination: number): number {
    const slot = this.table.find(words, at);
    const dns = (words[destination] >>> 16) === DNS_PORT;
    if (slot < 0) return this.#open(words, at, dns ? DNS : OTHER);
    this.table.touch(slot, this.#context.clock.tick);
    if (!dns) this.table.makeOther(slot);
    return slot;
  }

  /** A session receives many datagrams at once. */
  expectBulk(slot: number): void {
    if (this.table.bulk[slot] === 1) return;
    this.table.bulk[slot] = 1;
    expectBulk(this.table.fds[slot]);
  }

  /** Ends what has been silent for too long. */
  turn(): void {
    this.#expire(DNS, this.#context.settings.udp.dnsTicks);
    this.#expire(OTHER, this.#context.settings.udp.idleTicks);
  }

  /** Milliseconds until a session may be due, -1 for ever. */
  timeout(): number {
    const due = Math.min(
      this.#due(DNS, this.#context.settings.udp.dnsTicks),
      this.#due(OTHER, this.#context.settings.udp.idleTicks),
    );
    return due === Infinity ? -1 : this.#context.clock.millisecondsTo(due);
  }

  /** Whether no session was used within the last `milliseconds`. */
  silentFor(milliseconds: number): boolean {
    return this.table.newestTick() < this.#context.clock.tick - ticks(milliseconds);
  }

  /** Ends all sessions. */
  closeAll(): void {
    for (let slot = this.table.oldest(); slot >= 0; slot = this.table.oldest()) {
      this.#close(slot, COUNTER.udpClosed);
    }
  }

  #open(words: Int32Array, at: number, kind: number): number {
    if (this.#perClient.add(words, at, this.#context.settings.perClient) > 0) {
      // One of its own makes room, or nobody's.
      const own = this.table.oldestOf(words, at);
      if (own < 0 || !this.#evict(own, words, at)) {
        this.#perClient.remove(words, at);
        return this.#refuse("limits.per-client");
      }
    }
    if (this.#context.shared.addUdpLive(1) > this.#context.settings.udp.maxSessions) {
      const victim = this.table.victim();
      if (victim < 0 || !this.#evict(victim, words, at)) {
        return this.#giveBack(words, at, "limits.udp-sessions");
      }
    }
    let fd = this.#dial(words, at, kind);
    if (fd === -EMFILE || fd === -ENFILE) {
      const victim = this.table.victim();
      if (victim < 0 || !this.#evict(victim, words, at)) return this.#giveBack(words, at, "descriptors");
      fd = this.#dial(words, at, kind);
    }
    if (fd < 0) {
      this.#counters[COUNTER.failed]++;
      if (this.#debug) {
        this.#context.log.debug("UDP session failed", {
          ...this.#describe(words, at),
          error: errnoCode(-fd),
        });
      }
      return this.#giveBack(words, at, null);
    }
    const slot = this.table.open(words, at, { fd, tick: this.#context.clock.tick, kind });
    if (this.#dialledOwn) this.table.own[slot] = 1;
    const { loop } = this.#context;
    if (loop.watch(this.#service, fd, EPOLLIN | EPOLLET, slot, this.table.tags[slot]) < 0) {
      this.#close(slot, COUNTER.failed);
      return this.#refuse("epoll");
    }
    this.#counters[COUNTER.udpOpened]++;
    if (this.#debug) this.#context.log.debug("UDP session opened", this.#describe(words, at));
    return slot;
  }

  /** An upstream socket for a client, and the client's address in #address. The descriptor or -errno. */
  #dial(words: Int32Array, at: number, kind: number): number {
    copyAddress(words, at, this.#addressWords, 0);
    const family = words[at] & 0xffff;
    if (family !== AF_INET) this.#addressWords[1] = 0; // the flow label
    const own = this.#dialledOwn = this.#router !== null && this.#router.own.has(this.#address);
    const options = {
      tos: this.#context.settings.udp.tos,
      errors: this.#context.settings.source !== "client" || own,
      stream: kind === OTHER,
      mark: this.#router === null ? 0 : this.#router.mark,
    };
    if (this.#context.settings.source === "router") return openUdpUpstream(family, null, options);
    // The port of a program on the router is held by that program's own socket.
    if (own || this.#context.settings.source === "client-address") {
      return openUdpUpstream(family, anyPort(this.#address), options);
    }
    const fd = openUdpUpstream(family, this.#address, options);
    if (fd !== -EADDRINUSE) return fd;
    // A daemon of this router holds the port on all addresses: another port is better than no session.
    this.#counters[COUNTER.portChanged]++;
    return openUdpUpstream(family, anyPort(this.#address), options);
  }

  #describe(words: Int32Array, at: number): { client: string } {
    copyAddress(words, at, this.#addressWords, 0);
    return { client: formatEndpoint(readSockaddr(this.#address)) };
  }

  #giveBack(words: Int32Array, at: number, limit: string | null): number {
    this.#context.shared.addUdpLive(-1);
    this.#perClient.remove(words, at);
    return this.#refuse(limit);
  }

  #refuse(limit: string | null): number {
    this.#counters[COUNTER.udpRefused]++;
    if (limit !== null) this.#warn(this.#refusals, "new UDP sessions are refused", limit);
    return -1;
  }

  /** Ends a session to make room for one of the endpoint at `at`; false if that would be one too many in this tick. */
  #evict(slot: number, words: Int32Array, at: number): boolean {
    const { tick } = this.#context.clock;
    if (tick - this.table.ticks[slot] < YOUNG_TICKS) {
      if (this.#victimTick !== tick) {
        this.#victimTick = tick;
        this.#youngVictims.fill(0);
      }
      const kind = this.table.isModest(words, at) ? 1 : 0;
      if (++this.#youngVictims[kind] > YOUNG_VICTIMS_PER_TICK) return false;
      const limits = "limits.udp-sessions or limits.per-client";
      this.#warn(this.#evictions, "UDP sessions end early to make room", limits);
    }
    this.#close(slot, COUNTER.udpEvicted);
    return true;
  }

  #warn(throttle: Throttle, message: string, limit: string): void {
    if (!throttle.allows()) return;
    this.#context.log.warn(message, {
      limit,
      live: this.#context.shared.udpLive,
      "at-most": this.#context.settings.udp.maxSessions,
    });
  }

  #expire(kind: number, idleTicks: number): void {
    const { tick } = this.#context.clock;
    for (
      let slot = this.table.oldestOfKind(kind);
      slot >= 0 && tick - this.table.ticks[slot] >= idleTicks;
      slot = this.table.oldestOfKind(kind)
    ) this.#close(slot, COUNTER.udpExpired);
  }

  #due(kind: number, idleTicks: number): number {
    const slot = this.table.oldestOfKind(kind);
    return slot < 0 ? Infinity : this.table.ticks[slot] + idleTicks;
  }

  #close(slot: number, counter: number): void {
    this.#watcher.closing(slot);
    this.#counters[counter]++;
    closeFd(this.table.fds[slot]);
    this.#perClient.remove(this.table.addresses, slot * ADDRESS_WORDS);
    if (this.#debug) {
      this.#context.log.debug(
        "UDP session closed",
        this.#describe(this.table.addresses, slot * ADDRESS_WORDS),
      );
    }
    this.table.close(slot);
    this.#context.shared.addUdpLive(-1);
  }
}
