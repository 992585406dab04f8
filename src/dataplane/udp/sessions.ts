/**
 * The life of a worker's UDP sessions: limits, rules, sockets, timeouts. The table holds the facts of each.
 *
 * ```
 * first datagram ─► answer ─► rule ─► limits ─► socket ─► open ─► close: silent, evicted, told to
 *                    └─► lost  └─► blocked  └─► refused
 * ```
 *
 * Where flows ask the router first, its answer has come before the datagram; a flow that goes on asks again
 * from time to time, and its session follows what the router says then.
 * @module
 */
import { EMFILE, ENFILE, EPOLLET, EPOLLIN, IPPROTO_UDP } from "../../../ffi/consts.ts";
import { makeSockaddr, readSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { errnoCode } from "../../net/errno.ts";
import { formatEndpoint } from "../../net/ip.ts";
import { PROTOCOL_NUMBERS } from "../../policy/flow.ts";
import type { Answer } from "../asking/answer.ts";
import type { WorkerContext } from "../context.ts";
import type { Decider } from "../decider.ts";
import { GIVEN_SESSION, type UdpEstate } from "../handover/estate.ts";
import type { Service } from "../loop/service.ts";
import { ticks } from "../loop/wheel.ts";
import type { RouteBook } from "../routes/route_book.ts";
import { copyAddress, type Place, sameAddress } from "../shared/addresses.ts";
import { ADDRESS_WORDS } from "../shared/columns.ts";
import { CLOSED, EVICTED, EXPIRED, FAILED, RESET } from "../shared/endings.ts";
import { COUNTER } from "../shared/state.ts";
import { embedsIpv4 } from "../sockets/embedded.ts";
import type { RouterTraffic } from "../sockets/own_addresses.ts";
import { expectBulk, forbidFragments } from "../sockets/udp.ts";
import { UdpAdmission } from "./admission.ts";
import type { WaitingAnswers } from "./asked/answers.ts";
import {
  DNS,
  DOUBTED,
  IS_CHILD,
  KEEPS_ERRORS,
  MEETS_ERRORS,
  type NewSession,
  OTHER,
  PROXIED,
  SHARES,
  type UdpTable,
  UNFRAGMENTED,
} from "./table.ts";
import { UdpDial } from "./ways/dial.ts";
import { EarlyEnds } from "./ways/early_ends.ts";
import { NO_WAY, wayOf } from "./ways/way.ts";
import { Ways } from "./ways/ways.ts";

/** No session for a datagram: it is lost. */
export const LOST_DATAGRAM = -1;
/** A rule blocks the flow, and the client is to be told. */
export const BLOCKED_DATAGRAM = -2;

/** Port 53 as the upper half of a struct sockaddr's first word: network order. */
const DNS_PORT = 0x3500;
/** Of one client endpoint, besides the first. */
const MAX_CHILDREN = 16;
const NO_PARENT = -1;
const NO_SOCKET = -1;
/** More than the five seconds for which the kernel knows a flow that is not answered. */
const LEAST_LIFE = ticks(6000);

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
  /** null: flows come without having asked the router. */
  readonly answers: WaitingAnswers | null;
  /** null where {@linkcode answers} is. */
  readonly routes: RouteBook | null;
}

/** The kin of a new session. */
interface Kinship {
  /** NO_PARENT for the first of a client endpoint. */
  readonly parent: number;
  /** Sessions whose address and port it may have as well; null for the first. */
  readonly sharers: readonly number[] | null;
}

/** The UDP sessions of a worker. */
export class UdpSessions {
  readonly #context: WorkerContext;
  readonly #parts: UdpSessionParts;
  readonly #table: UdpTable;
  readonly #counters: Float64Array<SharedArrayBuffer>;
  readonly #admission: UdpAdmission;
  readonly #ways: Ways;
  readonly #dial: UdpDial;
  readonly #earlyEnds: EarlyEnds;
  #seed = crypto.getRandomValues(new Int32Array(1))[0];
  readonly #address = makeSockaddr();
  readonly #addressWords = new Int32Array(this.#address.buffer);
  /** A client and a destination. */
  readonly #childWords = new Int32Array(2 * ADDRESS_WORDS);

  constructor(context: WorkerContext, parts: UdpSessionParts) {
    this.#context = context;
    this.#parts = parts;
    this.#table = parts.table;
    this.#counters = context.counters;
    this.#admission = new UdpAdmission(context, parts.table, (slot) => this.#close(slot, EVICTED));
    this.#ways = new Ways(parts.table, this);
    this.#dial = new UdpDial(context, parts);
    this.#earlyEnds = new EarlyEnds(LEAST_LIFE, {
      tick: context.clock.tick,
      any: context.counters[COUNTER.turns] > 0, // those of a worker that has failed
      seed: this.#seed,
    });
  }

  /** The ways of the clients' destinations. */
  get ways(): Ways {
    return this.#ways;
  }

  /**
   * The session of the client whose struct sockaddr is at `at`, opened if need be; it is about to send to the
   * one at `destination`, over which is written where the router sends it. `rule`: the one that has decided,
   * if any has, by `name` if that was read. Its slot, or LOST_DATAGRAM or BLOCKED_DATAGRAM if there can be
   * none.
   */
  use(
    words: Int32Array,
    at: number,
    destination: number,
    rule?: number,
    name: Uint8Array | null = null,
  ): number {
    const { answers } = this.#parts;
    const answer = answers !== null && answers.take(words, at, destination) ? answers.answer : null;
    const { tick } = this.#context.clock;
    let slot = this.#table.find(words, at);
    const isFirst = slot < 0;
    if (isFirst) {
      if (answer === null && answers !== null && !this.#isOfRouter(words, at)) return this.#lose();
      slot = this.#begin(words, at, destination, answer, { rule, name });
      if (slot < 0) return slot;
    } else {
      this.#table.touch(slot, tick);
      if (!isDns(words, destination)) this.#table.makeOther(slot);
      if (answer === null && !this.#isSure(slot, words, destination)) return this.#lose();
    }
    const uplink = answer === null
      ? this.#ways.follow(slot, words, destination, tick)
      : this.#heed(slot, words, destination, answer, isFirst);
    return uplink < 0 ? this.#lose() : uplink;
  }

  /** See {@linkcode WayOpener}. */
  openChild(parent: number, words: Int32Array, at: number, answer: Answer): number {
    if (this.#ways.kin.childrenOf(parent).length >= MAX_CHILDREN) return LOST_DATAGRAM;
    copyAddress(this.#table.addresses, parent * ADDRESS_WORDS, this.#childWords, 0);
    copyAddress(words, at, this.#childWords, ADDRESS_WORDS);
    return this.#begin(this.#childWords, 0, ADDRESS_WORDS, answer, { parent });
  }

  /** A session with an upstream is about to send a client's datagram to a destination. */
  useLed(slot: number, words: Int32Array, at: number, destination: number): void {
    this.#table.touch(slot, this.#context.clock.tick);
    if (!isDns(words, destination)) this.#table.makeOther(slot);
    this.ignoreAnswer(words, at, destination);
  }

  /**
   * Opens a session for a client's datagrams to an upstream, the first of them to `destination`. The router's
   * answer about them is not needed: the upstream is reached as by the router itself. `open`: its socket or
   * -errno; null: it comes later. `owner`: see {@linkcode NewSession}. Its slot, or LOST_DATAGRAM.
   */
  openLed(
    words: Int32Array,
    at: number,
    destination: number,
    { rule, name, owner, open }: {
      readonly rule: number;
      readonly name: Uint8Array | null;
      readonly owner?: number | undefined;
      readonly open: (() => number) | null;
    },
  ): number {
    if (!this.#admission.admit(words, at)) return LOST_DATAGRAM;
    let fd = open === null ? NO_SOCKET : open();
    if (open !== null && (fd === -EMFILE || fd === -ENFILE) && this.#admission.makeRoom(words, at)) {
      fd = open();
    }
    if (fd < 0 && open !== null) return this.#fail(words, at, -fd);
    const kind = isDns(words, destination) ? DNS : OTHER;
    const slot = this.#register(words, at, { fd, kind, way: NO_WAY, traits: PROXIED, owner });
    if (slot < 0) return slot;
    this.#table.filtered[slot] = this.#context.settings.udp.filter ? 1 : 0;
    this.#table.bulk[slot] = 1; // headers tell its datagrams apart: the kernel must not join them
    const { udp } = this.#context.ledgers;
    udp.decided(slot, rule);
    udp.destination(slot, words, destination);
    if (name !== null) udp.named(slot, name, name.length);
    return slot;
  }

  /** Takes the router's answer about a datagram to which it does not matter. */
  ignoreAnswer(words: Int32Array, at: number, destination: number): void {
    this.#parts.answers?.take(words, at, destination);
  }

  /** A session that has been answered; so its client's first session goes on as well. */
  touch(slot: number): void {
    const { tick } = this.#context.clock;
    this.#table.touch(slot, tick);
    if ((this.#table.traits[slot] & IS_CHILD) !== 0) this.#table.touch(this.#ways.kin.parentOf(slot), tick);
  }

  /** A session receives many datagrams at once. */
  expectBulk(slot: number): void {
    if (this.#table.bulk[slot] === 1) return;
    this.#table.bulk[slot] = 1;
    expectBulk(this.#table.fds[slot]);
  }

  /** Ends what has been silent for too long. */
  turn(): void {
    this.#expire(DNS, this.#lifeOf(DNS));
    this.#expire(OTHER, this.#lifeOf(OTHER));
  }

  /** Milliseconds until a session may be due, -1 for ever. */
  timeout(): number {
    const due = Math.min(this.#due(DNS, this.#lifeOf(DNS)), this.#due(OTHER, this.#lifeOf(OTHER)));
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

  /** Tells another process by what the numbers of ways are made. */
  give(): Pick<UdpEstate, "seed" | "earlyEnds"> {
    return { seed: this.#seed, earlyEnds: this.#earlyEnds.give(this.#context.clock.tick) };
  }

  /** Goes on with the numbers of ways that another process has made. Before any session. */
  inheritSeed({ seed, earlyEnds }: Pick<UdpEstate, "seed" | "earlyEnds">): void {
    this.#seed = seed;
    this.#earlyEnds.inherit(earlyEnds, seed, this.#context.clock.tick);
  }

  /**
   * Takes over a session of another process, whose socket is `fd`. `row`: see {@linkcode GIVEN_SESSION}. Its
   * slot, or LOST_DATAGRAM where it cannot be.
   */
  inherit(row: Int32Array, fd: number, owner: number | undefined): number {
    const { clock, ledgers: { udp } } = this.#context;
    const table = this.#table;
    if (table.size >= table.tags.length) return LOST_DATAGRAM;
    this.#admission.enter(row, GIVEN_SESSION.client);
    const slot = table.open(row, GIVEN_SESSION.client, {
      fd,
      tick: clock.tick - row[GIVEN_SESSION.age],
      time: clock.time,
      kind: row[GIVEN_SESSION.kind],
      way: row[GIVEN_SESSION.way],
      traits: row[GIVEN_SESSION.traits],
      owner,
    });
    table.keepsErrors[slot] = row[GIVEN_SESSION.keepsErrors];
    table.filtered[slot] = row[GIVEN_SESSION.filtered];
    table.priorities[slot] = row[GIVEN_SESSION.priority];
    table.tos[slot] = row[GIVEN_SESSION.tos];
    table.bulk[slot] = row[GIVEN_SESSION.bulk];
    table.segmentLimits[slot] = row[GIVEN_SESSION.segmentLimit];
    udp.decided(slot, row[GIVEN_SESSION.rule]);
    udp.destination(slot, row, GIVEN_SESSION.destination);
    udp.upstream(slot, fd, row, GIVEN_SESSION.upstream);
    if (this.watchAgain(slot) >= 0) return slot;
    this.forget(slot);
    return LOST_DATAGRAM;
  }

  /** Watches the socket of a session, which nobody watches. 0 or -errno. */
  watchAgain(slot: number): number {
    const { fds, tags } = this.#table;
    return this.#context.loop.watch(this.#parts.service, fds[slot], EPOLLIN | EPOLLET, slot, tags[slot]);
  }

  /** Knows a session no longer that goes on in another process. Its descriptor is the caller's to close. */
  forget(slot: number): void {
    this.#ways.closing(slot);
    this.#parts.watcher.closing(slot);
    this.#table.forget(slot);
    this.#admission.leave(this.#table.addresses, slot * ADDRESS_WORDS);
  }

  #begin(
    words: Int32Array,
    at: number,
    destination: number,
    answer: Answer | null,
    { parent = NO_PARENT, rule: decided, name = null }: {
      readonly parent?: number;
      readonly rule?: number | undefined;
      readonly name?: Uint8Array | null;
    },
  ): number {
    // A socket for the IPv4 address in it would be past all rules.
    if (embedsIpv4(words, destination)) return this.#lose();
    const { decider } = this.#parts;
    const rule = decided ?? decider.decide(PROTOCOL_NUMBERS.udp, words, at, destination);
    const blocking = decided === undefined ? decider.blocking(rule) : null;
    if (blocking !== null) {
      this.#counters[COUNTER.udpRefused]++;
      return blocking.silent ? LOST_DATAGRAM : BLOCKED_DATAGRAM;
    }
    if (!this.#admission.admit(words, at)) return LOST_DATAGRAM;
    if (this.#isOrphan(parent)) return this.#giveBack(words, at, null);
    const kind = isDns(words, destination) ? DNS : OTHER;
    const sharers = parent < 0 || answer === null
      ? null
      : this.#sharers(parent, { words, at: destination }, { words: answer.words, at: answer.destinationAt });
    const slot = this.#open(words, at, kind, answer, { parent, sharers });
    if (slot < 0) return slot;
    const { udp } = this.#context.ledgers;
    udp.decided(slot, rule);
    udp.destination(slot, words, destination);
    if (name !== null) udp.named(slot, name, name.length);
    if (answer !== null && !sameAddress(words, destination, answer.words, answer.destinationAt)) {
      udp.upstream(slot, this.#table.fds[slot], answer.words, answer.destinationAt);
    }
    return slot;
  }

  /** A session for an endpoint that was admitted. Its slot, or LOST_DATAGRAM. */
  #open(
    words: Int32Array,
    at: number,
    kind: number,
    answer: Answer | null,
    { parent, sharers }: Kinship,
  ): number {
    const dial = this.#dial;
    let fd = dial.open(words, at, kind, answer, sharers);
    if (fd === -EMFILE || fd === -ENFILE) {
      if (!this.#admission.makeRoom(words, at)) return this.#giveBack(words, at, "descriptors");
      if (this.#isOrphan(parent)) return this.#giveBack(words, at, null);
      fd = dial.open(words, at, kind, answer, sharers);
    }
    if (fd < 0) return this.#fail(words, at, -fd);
    const { clock, settings } = this.#context;
    const table = this.#table;
    const traits = (parent < 0 ? 0 : IS_CHILD) | (dial.leader < 0 ? 0 : SHARES) |
      (answer !== null && answer.whole ? UNFRAGMENTED : 0) |
      (answer !== null && this.#earlyEnds.concern(words, at, clock.tick) ? DOUBTED : 0);
    const way = answer === null ? NO_WAY : this.#wayOf(answer);
    const slot = this.#register(words, at, { fd, kind, way, traits });
    if (slot < 0) return slot;
    if (parent >= 0) {
      this.#ways.kin.add(parent, slot, dial.leader < 0 ? slot : this.#ways.leaderOf(dial.leader));
    }
    // With a client's own address and port: conntrack lets nothing but answers through, and errors go to the
    // client by themselves.
    table.keepsErrors[slot] = dial.isOurs || settings.source !== "client" ? MEETS_ERRORS : 0;
    if (answer !== null && table.keepsErrors[slot] === 0) table.keepsErrors[slot] = KEEPS_ERRORS;
    table.priorities[slot] = dial.priority;
    table.filtered[slot] = settings.udp.filter && dial.isOurs ? 1 : 0;
    return slot;
  }

  /** Enters a session that was admitted. Its slot, or LOST_DATAGRAM. */
  #register(words: Int32Array, at: number, session: Omit<NewSession, "tick" | "time">): number {
    const { clock, loop } = this.#context;
    const table = this.#table;
    const slot = table.open(words, at, { ...session, tick: clock.tick, time: clock.time });
    const events = EPOLLIN | EPOLLET;
    if (session.fd >= 0 && loop.watch(this.#parts.service, session.fd, events, slot, table.tags[slot]) < 0) {
      this.#close(slot, FAILED);
      this.#admission.refuse("epoll");
      return LOST_DATAGRAM;
    }
    this.#counters[COUNTER.udpOpened]++;
    this.#note("UDP session opened", words, at);
    return slot;
  }

  /**
   * Tells whether a datagram that comes without an answer is of a flow that this very session was asked
   * about: of one before it the kernel may know a flow that the router sends elsewhere.
   */
  #isSure(slot: number, words: Int32Array, at: number): boolean {
    const { traits, addresses } = this.#table;
    if ((traits[slot] & DOUBTED) === 0) return true;
    if (!this.#earlyEnds.concern(addresses, slot * ADDRESS_WORDS, this.#context.clock.tick)) {
      traits[slot] &= ~DOUBTED;
      return true;
    }
    const { destination } = this.#context.ledgers.udp.columns;
    return sameAddress(words, at, destination, slot * ADDRESS_WORDS) || this.#ways.knows(slot, words, at);
  }

  /** Tells whether a parent has had to make room for its child. */
  #isOrphan(parent: number): boolean {
    return parent >= 0 && this.#table.tags[parent] === 0;
  }

  /** The kin of a child that may have the same address and port: answers can be told apart. */
  #sharers(parent: number, original: Place, target: Place): readonly number[] {
    return [parent, ...this.#ways.kin.childrenOf(parent)]
      .filter((slot) => !this.#ways.isTaken(slot, original, target));
  }

  /** Leads a datagram as the router has answered. The session that sends it, negative for none. */
  #heed(slot: number, words: Int32Array, at: number, answer: Answer, isFirst: boolean): number {
    const way = this.#wayOf(answer);
    const { tick } = this.#context.clock;
    const uplink = this.#ways.heed(slot, { words, at }, { answer, way }, { tick, isFirst });
    if (uplink < 0) return uplink;
    const { traits, fds } = this.#table;
    this.#parts.routes?.openPassage(fds[uplink], IPPROTO_UDP, answer);
    if (((traits[uplink] & UNFRAGMENTED) !== 0) !== answer.whole) {
      traits[uplink] ^= UNFRAGMENTED;
      forbidFragments(fds[uplink], words[at] & 0xffff, answer.whole);
    }
    return uplink;
  }

  #wayOf(answer: Answer): number {
    return wayOf(answer, this.#seed, this.#context.settings.source !== "router");
  }

  #isOfRouter(words: Int32Array, at: number): boolean {
    const { router } = this.#parts;
    if (router === null) return false;
    copyAddress(words, at, this.#addressWords, 0);
    return router.own.has(this.#address);
  }

  /** A datagram has nowhere to go. */
  #lose(): number {
    this.#counters[COUNTER.udpDropped]++;
    return LOST_DATAGRAM;
  }

  #fail(words: Int32Array, at: number, error: number): number {
    this.#counters[COUNTER.failed]++;
    this.#note("UDP session failed", words, at, error);
    return this.#giveBack(words, at, null);
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

  /** The ticks for which a session of a kind may be silent: no less than until its flows ask again. */
  #lifeOf(kind: number): number {
    const { dnsTicks, idleTicks } = this.#context.settings.udp;
    const wanted = kind === DNS ? dnsTicks : idleTicks;
    return this.#parts.answers === null ? wanted : Math.max(wanted, LEAST_LIFE);
  }

  #due(kind: number, idleTicks: number): number {
    const slot = this.#table.oldestOfKind(kind);
    return slot < 0 ? Infinity : this.#table.ticks[slot] + idleTicks;
  }

  #close(slot: number, ending: number): void {
    const { addresses, fds } = this.#table;
    this.#closeDependents(slot);
    if (ending !== EXPIRED) {
      this.#earlyEnds.note(addresses, slot * ADDRESS_WORDS, this.#context.clock.tick);
    }
    const fd = fds[slot];
    this.#ways.closing(slot);
    this.#parts.watcher.closing(slot);
    this.#note("UDP session closed", addresses, slot * ADDRESS_WORDS);
    // Before its descriptor is somebody else's: what a failed worker leaves in the ledger is closed.
    this.#table.close(slot, ending);
    if (fd >= 0) closeFd(fd);
    this.#admission.leave(addresses, slot * ADDRESS_WORDS);
  }

  /** Ends the children of a session, and those that share its address and port. */
  #closeDependents(slot: number): void {
    const { kin } = this.#ways;
    const children = kin.childrenOf(slot);
    while (children.length > 0) this.#close(children[0], CLOSED);
    if ((this.#table.traits[slot] & IS_CHILD) === 0) return;
    const siblings = kin.childrenOf(kin.parentOf(slot));
    for (let i = siblings.length - 1; i >= 0; i--) {
      const sibling = siblings[i];
      if (sibling !== slot && this.#ways.leaderOf(sibling) === slot) this.#close(sibling, CLOSED);
    }
  }
}

function isDns(words: Int32Array, at: number): boolean {
  return (words[at] >>> 16) === DNS_PORT;
}
