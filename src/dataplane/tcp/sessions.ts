/**
 * The live TCP sessions of a worker: their table, their timers, and the way of each event to the stage that
 * its session is in.
 *
 * ```
 * begin ─► NEW ─► DIALLING ─► GREETING ─► OPEN ─► HALF_CLOSED ─► end
 *           │      ▲  │ next ┘ │ │          ▲ │ │        │
 *           │      └──┴────────┘ └► WAITING ┘ │ └────────┴► RESETTING ─► end
 *           └► refuse                         └► end
 * ```
 *
 * Where the first packet asks, a session begins with the client's SYN, and waits for its connection when the
 * upstream has answered. Where the client's name decides, it is SNIFFING before it is DIALLING, or when its
 * upstream has answered.
 *
 * A session has the descriptors that its stage needs: the client's from accept(2) on, the upstream's once it
 * is dialled. Edges of epoll are kept in its two directions, so that none is lost between two stages.
 * @module
 */
import { ECANCELED, ECONNREFUSED } from "../../../ffi/consts.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { resetOnClose } from "../../../ffi/sockets/sockopt.ts";
import { silence } from "../../netlink/served/services.ts";
import type { WorkerContext } from "../context.ts";
import { DialErrors } from "../asking/dial_errors.ts";
import { SILENCE } from "../asking/verdict.ts";
import { Decider } from "../decider.ts";
import type { HeldSyns } from "../asking/held_syns.ts";
import type { Service } from "../loop/service.ts";
import { Throttle } from "../loop/throttle.ts";
import { TimerWheel } from "../loop/wheel.ts";
import type { ObedientSessions } from "../obey.ts";
import { GIVEN_CONNECTION, type GivenConnections } from "../handover/connections.ts";
import type { PipeOptions } from "../orders.ts";
import { ADDRESS_WORDS } from "../shared/columns.ts";
import type { Ledger } from "../shared/ledger.ts";
import { PerClient } from "../shared/per_client.ts";
import { BLOCKED, EVICTED, FAILED, OVER_LIMIT, RESET } from "../shared/endings.ts";
import { COUNTER } from "../shared/state.ts";
import { NOBODY } from "../upstream/greetings/greeting.ts";
import { DIRECT, type UpstreamTable } from "../upstream/table.ts";
import type { Call, Sockaddr } from "../upstream/upstream.ts";
import { Deciding } from "./deciding.ts";
import { Dialling } from "./stages/dialling.ts";
import { GreetingStage } from "./stages/greeting.ts";
import { noteEdges, SESSION_EVENTS } from "./edges.ts";
import { type Heir, readHeirs, restore, restoreRow } from "./estate/inherit.ts";
import { NextTurn } from "./next_turn.ts";
import { closePipe, PipePool } from "./bytes/pipes.ts";
import { Relay } from "./bytes/relay.ts";
import { Parked } from "./stages/parked.ts";
import { Relaying } from "./stages/relaying.ts";
import { Resetting } from "./stages/resetting.ts";
import { CLIENT, DESTINATION, Session, stageOfOpen } from "./session.ts";
import { DIALLING, HALF_CLOSED, OPEN, PARKED, SNIFFING, WAITING } from "./stage_numbers.ts";
import { logSession } from "./session_log.ts";
import { SessionTable } from "./session_table.ts";
import { TcpShares } from "./shares.ts";
import { Sniffing } from "./stages/sniffing.ts";
import type { Life, Stage } from "./stages/stage.ts";
import { Waiting } from "./stages/waiting.ts";

/** The live sessions of a worker. */
export class TcpSessions implements Service, Life, ObedientSessions {
  readonly context: WorkerContext;
  readonly syns: HeldSyns | null;
  readonly #dialErrors: DialErrors | null;
  readonly #upstreams: UpstreamTable;
  readonly #ledger: Ledger;
  readonly #perClient: PerClient;
  readonly #pipes: PipePool;
  readonly #relay: Relay;
  readonly #dialling: Dialling;
  readonly #deciding: Deciding;
  /** By number: SNIFFING, DIALLING, GREETING, WAITING, OPEN, HALF_CLOSED, RESETTING, PARKED. */
  readonly #stages: readonly Stage[];
  readonly #table = new SessionTable();
  readonly #shares = new TcpShares((slot) => this.#table.at(slot));
  readonly #wheel: TimerWheel<Session>;
  readonly #evictions: Throttle;
  readonly #onDue = (session: Session) => this.#stages[session.stage].due(session);
  readonly #onMore = (session: Session) => this.#stages[session.stage].ready(session, false, 0);
  readonly #nextTurn = new NextTurn();

  /**
   * `syns`: there only where first packets ask. Without a `decider` nobody knows the programs on the router
   * itself.
   */
  constructor(
    context: WorkerContext,
    parts: { pipes: PipeOptions; upstreams: UpstreamTable; syns?: HeldSyns | null; decider?: Decider },
  ) {
    this.context = context;
    this.syns = parts.syns ?? null;
    this.#dialErrors = this.syns === null ? null : new DialErrors();
    this.#upstreams = parts.upstreams;
    this.#ledger = context.ledgers.tcp;
    this.#perClient = new PerClient(context.shared.tcpClients);
    this.#pipes = new PipePool(parts.pipes.limit, parts.pipes.size);
    this.#relay = new Relay(this.#pipes, context.ledgers.tcp.bytes);
    this.#wheel = new TimerWheel(context.clock.tick);
    this.#evictions = new Throttle(context.clock);
    const relaying = new Relaying(this, this.#relay);
    this.#deciding = new Deciding(this, parts.decider ?? new Decider(context));
    const sniffing = new Sniffing(this, this.#deciding);
    this.#dialling = new Dialling(this, sniffing);
    const resetting = new Resetting(this, this.#relay);
    const greeting = new GreetingStage(this.#dialling);
    this.#stages = [
      sniffing,
      this.#dialling,
      greeting,
      new Waiting(this),
      relaying,
      relaying,
      resetting,
      new Parked(),
    ];
  }

  /** The number of live sessions. */
  get size(): number {
    return this.#table.size;
  }

  /**
   * Counts a session as live that is about to begin for the client at `at`, and makes room for it; false:
   * there is none.
   */
  admit(words: Int32Array, at: number): boolean {
    const { shared, settings, clock } = this.context;
    const surplus = shared.addLive(1) - settings.maxConnections;
    if (surplus <= 0 || this.#evict(this.#shares.victimFor(words, at, clock.tick))) {
      // A second one where there are still too many: the limit has become lower.
      if (surplus > 1) this.#evict(this.#shares.victimFor(words, at, clock.tick));
      return true;
    }
    shared.addLive(-1);
    return false;
  }

  /** Ends a session, so that somebody has its descriptors; false: there is none that should. */
  makeRoom(): boolean {
    return this.#evict(this.#shares.victim());
  }

  /**
   * Begins a session for a client, whose connection it takes over, -1: it has none yet. {@linkcode admit} has
   * counted it as live. `session.excess` tells by how much the client is over its limit now.
   */
  begin(client: number, address: Sockaddr): Session {
    const { clock } = this.context;
    const session = this.#table.open(clock.tick);
    session.client.set(address);
    session.upstream = this.#upstreams.of(DIRECT);
    session.setClient(client);
    this.#ledger.open(session.slot, session.tag, session.addresses, CLIENT, clock.time);
    this.#ledger.client(session.slot, client);
    this.#shares.enter(session.slot, session.addresses, CLIENT);
    this.#count(session);
    return session;
  }

  /** Asks the rules what becomes of a session whose ends are known. False: it has ended. */
  decide(session: Session): boolean {
    return this.#deciding.begin(session);
  }

  /** See {@linkcode Life}. The client wants to go to `session.destination`. */
  route(session: Session, rule: number, route: number): void {
    session.upstream = this.#upstreams.of(route);
    this.#ledger.destination(session.slot, session.addresses, DESTINATION);
    this.#ledger.decided(session.slot, rule);
  }

  /** See {@linkcode Life}. */
  block(session: Session, silent: boolean): void {
    const isConnected = session.clientFd >= 0;
    if (silent && isConnected) silence(session.clientFd);
    this.refuse(session, silent && !isConnected ? 0 : ECONNREFUSED, BLOCKED);
  }

  /**
   * Watches the client and dials the upstream, or reads the client's name first. 0, or the -errno with which
   * the session has ended.
   */
  dial(session: Session): number {
    const waits = session.undecided && !session.ahead;
    if (session.clientFd < 0) return this.enter(session, waits ? WAITING : DIALLING);
    const watched = this.#watch(session, session.clientFd, 0);
    if (watched >= 0) return this.enter(session, waits ? SNIFFING : DIALLING);
    this.end(session, true, FAILED);
    return watched;
  }

  /** The session in a slot. */
  at(slot: number): Session {
    return this.#table.at(slot);
  }

  /** Gives a session that is WAITING the client's connection, which it takes over in any case. */
  join(session: Session, client: number): void {
    this.#release(session);
    session.setClient(client);
    session.down.writable = true;
    session.activeTick = this.context.clock.tick;
    this.#ledger.client(session.slot, client);
    this.#count(session);
    if (session.excess > 0) return this.end(session, true, OVER_LIMIT);
    if (this.#watch(session, client, 0) < 0) return this.end(session, true, FAILED);
    this.enter(session, stageOfOpen(session));
  }

  /** Dials for a call whose upstream has said PENDING, and can tell more by now. */
  resume(call: Call): void {
    if (call instanceof Session && call.stage === DIALLING) this.#dialling.resume(call);
  }

  /** Dials once more for a session that is DIALLING. 0, or the -errno with which it has ended. */
  dialAnew(session: Session): number {
    return this.#dialling.anew(session);
  }

  /** See {@linkcode Service}: there are descriptors only where there are sessions. */
  start(): number {
    return 0;
  }

  /** An event of a session's socket. `key` is twice the slot, plus one for the upstream's socket. */
  event(key: number, tag: number, bits: number): void {
    const session = this.#table.find(key >>> 1, tag);
    if (session === undefined) return;
    const upstreamSide = (key & 1) === 1;
    noteEdges(session, upstreamSide, bits);
    session.activeTick = this.context.clock.tick;
    this.#stages[session.stage].ready(session, upstreamSide, bits);
  }

  /** Ends a turn: sessions with more to do, and timers. */
  turn(): void {
    this.#nextTurn.begin(this.#onMore);
    this.#wheel.advance(this.context.clock.tick, this.#onDue);
  }

  /** Milliseconds that the worker may sleep, -1 for ever. */
  timeout(): number {
    if (this.#nextTurn.size > 0) return 0;
    const { clock } = this.context;
    const next = this.#wheel.ticksToNext();
    return next < 0 ? -1 : clock.millisecondsTo(clock.tick + next);
  }

  /** See {@linkcode Service}: sessions are begun by the acceptor. */
  drain(): void {}

  /** See {@linkcode Service}. */
  idle(): boolean {
    return this.size === 0;
  }

  /** Lists up to so many sessions that are OPEN or HALF_CLOSED. */
  open(most: number): Session[] {
    return this.#table.list(most, ({ stage }) => stage === OPEN || stage === HALF_CLOSED);
  }

  /** Leaves such a session alone. Until it is forgotten or unparked, another process may have it. */
  park(session: Session): void {
    const { loop } = this.context;
    loop.unwatch(session.clientFd);
    loop.unwatch(session.upstreamFd);
    this.#wheel.remove(session);
    session.stage = PARKED;
    // A reset would be one of the other process' connection, should this worker fail now.
    this.#ledger.client(session.slot, -1);
    this.#ledger.upstream(session.slot, -1, null, 0);
  }

  /** Goes on with a session that is parked. */
  unpark(session: Session): void {
    session.stage = this.#ledger.columns.stage[session.slot];
    this.#ledger.client(session.slot, session.clientFd);
    this.#ledger.upstream(session.slot, session.upstreamFd, null, 0);
    this.#goOn(session);
  }

  /** Forgets a session that is parked: it goes on elsewhere. */
  forget(session: Session): void {
    session.upstream.ended(session);
    this.#ledger.forget(session.slot);
    this.#drop(session, false);
  }

  /** Takes over connections of another process, in any number. */
  inherit(given: GivenConnections): void {
    for (const heir of readHeirs(given)) this.#inherit(heir);
  }

  #inherit(heir: Heir): void {
    const { row, clientFd, upstreamFd } = heir;
    if (this.size === this.#ledger.columns.rows) return this.#refuseHeir(heir);
    const address = (at: number) => new Uint8Array(row.slice(at, at + ADDRESS_WORDS).buffer);
    this.context.shared.addLive(1);
    const session = this.begin(clientFd, address(GIVEN_CONNECTION.client));
    session.destination.set(address(GIVEN_CONNECTION.destination));
    session.setUpstream(upstreamFd);
    session.upstream = this.#upstreams.inherited(row[GIVEN_CONNECTION.carrier]);
    restore(session, heir, this.#relay, this.context.clock.tick);
    restoreRow(this.#ledger, session, heir);
    this.#shares.answered(session.slot);
    session.stage = row[GIVEN_CONNECTION.stage];
    this.#ledger.stage(session.slot, session.stage);
    this.#goOn(session);
  }

  /** Ends a connection for which this process has no place: it may have fewer descriptors. */
  #refuseHeir({ clientFd, upstreamFd, up, down }: Heir): void {
    for (const pipe of [up.pipe, down.pipe]) if (pipe !== null) closePipe(pipe);
    this.#close(clientFd, true);
    this.#close(upstreamFd, true);
  }

  /** Watches both sockets, whose edges come anew, and has its timer reckoned. */
  #goOn(session: Session): void {
    const returned = this.#watch(session, session.clientFd, 0);
    if (returned < 0 || this.#watch(session, session.upstreamFd, 1) < 0) {
      return this.end(session, true, FAILED);
    }
    this.#wheel.schedule(session, this.context.clock.tick + 1);
    this.#nextTurn.add(session);
  }

  /** Ends all sessions with a reset, and closes what is kept for the next. */
  close(): void {
    this.#table.forEach((session) => {
      if (session.stage === PARKED) this.forget(session);
      else this.end(session, true, RESET);
    });
    this.#pipes.clear();
  }

  /** See {@linkcode ObedientSessions}. */
  abort(slot: number, tag: number): void {
    const session = this.#table.find(slot, tag);
    if (session !== undefined && session.stage !== PARKED) this.end(session, true, RESET);
  }

  /** See {@linkcode ObedientSessions}: each stage reckons anew when its timer comes round. */
  retime(): void {
    const { tick } = this.context.clock;
    this.#table.forEach((session) => this.#wheel.schedule(session, tick + 1));
  }

  /**
   * Closes the pipes: something has failed, and somebody else closes what the ledger names. Another process
   * may be about to get those of sessions that are parked: their numbers must not become somebody else's.
   */
  abandon(): void {
    this.#table.forEach(({ stage, up, down }) => {
      if (stage === PARKED) return;
      this.#relay.release(up);
      this.#relay.release(down);
    });
    this.#pipes.clear();
  }

  /** See {@linkcode Life}. */
  enter(session: Session, stage: number): number {
    if (session.stage < OPEN && stage >= OPEN) {
      this.#shares.answered(session.slot);
    }
    session.stage = stage;
    this.#ledger.stage(session.slot, stage);
    return this.#stages[stage].enter(session);
  }

  /** See {@linkcode Life}. */
  schedule(session: Session, tick: number): void {
    this.#wheel.schedule(session, tick);
  }

  /** See {@linkcode Life}. */
  continueLater(session: Session): void {
    this.#nextTurn.add(session);
  }

  /** See {@linkcode Life}. */
  attachUpstream(session: Session, fd: number): number {
    session.setUpstream(fd);
    const { answer, upstream } = session;
    if (answer === null || !upstream.isDirect(session)) this.#ledger.upstream(session.slot, fd, null, 0);
    else this.#ledger.upstream(session.slot, fd, answer.words, answer.destinationAt);
    this.#ledger.through(session.slot, upstream.carrier?.(session) ?? 0);
    return this.#watch(session, fd, 1);
  }

  /** See {@linkcode Life}. */
  tellClient(session: Session, error: number): void {
    this.tellVerdict(session, this.verdict(session, error));
  }

  /** See {@linkcode Life}. */
  verdict(session: Session, error: number): number {
    return session.syn < 0 ? SILENCE : this.#dialErrors!.verdict(session.upstreamFd, error);
  }

  /** See {@linkcode Life}. */
  tellVerdict(session: Session, verdict: number): void {
    if (this.syns === null || session.syn < 0) return;
    if (this.syns.tell(session.syn, verdict) > 0) this.context.counters[COUNTER.questionsRefused]++;
  }

  /** See {@linkcode Life}. */
  dropUpstream(session: Session): void {
    const { upstreamFd } = session;
    session.setUpstream(-1);
    this.#ledger.upstream(session.slot, -1, null, 0);
    closeFd(upstreamFd);
  }

  /** See {@linkcode Life}. */
  note(session: Session, message: string, error = 0): void {
    logSession(this.context.log, session, message, error);
  }

  /** See {@linkcode Life}. */
  refuse(session: Session, error: number, ending: number): void {
    if (error !== 0) {
      this.note(session, "connection refused", error);
      this.tellClient(session, error);
    }
    this.#finish(session, true, ending);
  }

  /** See {@linkcode Life}. */
  end(session: Session, reset: boolean, ending: number): void {
    this.note(session, reset ? "connection reset" : "connection closed");
    this.#finish(session, reset, ending);
  }

  /** Counts a session among its client's, once the client is there. */
  #count(session: Session): void {
    const { perClient } = this.context.settings;
    session.counted = session.clientFd >= 0;
    session.excess = session.counted
      ? this.#perClient.add(session.addresses, CLIENT, perClient)
      : this.#perClient.wouldExceed(session.addresses, CLIENT, perClient);
  }

  #evict(slot: number): boolean {
    if (slot < 0) return false;
    this.end(this.#table.at(slot), true, EVICTED);
    if (this.#evictions.allows()) {
      const { log, shared, settings } = this.context;
      log.warn("connections end early to make room", {
        live: shared.live,
        "at-most": settings.maxConnections,
      });
    }
    return true;
  }

  #finish(session: Session, reset: boolean, ending: number): void {
    if (session.called) session.upstream.settled(session, ECANCELED, NOBODY);
    else if (session.carried) session.upstream.ended(session);
    // Before its descriptors are somebody else's: what a failed worker leaves in the ledger is closed.
    this.#ledger.end(session.slot, ending);
    this.#drop(session, reset);
  }

  /** Gives back all that it has. */
  #drop(session: Session, reset: boolean): void {
    session.called = false; // who resumes it now comes too late
    session.greeting = null;
    this.#wheel.remove(session);
    this.#release(session);
    this.#relay.release(session.up);
    this.#relay.release(session.down);
    this.#close(session.clientFd, reset);
    this.#close(session.upstreamFd, reset);
    if (session.counted) this.#perClient.remove(session.addresses, CLIENT);
    this.#shares.leave(session.slot, session.addresses, CLIENT, session.stage < OPEN);
    this.#table.close(session);
    this.context.shared.addLive(-1);
  }

  /** Its SYN is held no longer. */
  #release(session: Session): void {
    if (session.syn >= 0) this.syns!.release(session.syn);
    session.syn = -1;
  }

  #close(fd: number, reset: boolean): void {
    if (fd < 0) return;
    if (reset) resetOnClose(fd);
    closeFd(fd);
  }

  #watch(session: Session, fd: number, side: number): number {
    return this.context.loop.watch(this, fd, SESSION_EVENTS, session.slot * 2 + side, session.tag);
  }
}
