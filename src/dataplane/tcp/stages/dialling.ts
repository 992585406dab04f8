/**
 * The stage of a session whose upstream has not answered yet. The client's bytes, and its end, wait; its
 * reset ends the attempt. A client whose SYN is held has no connection yet: that it goes on sending its SYN
 * shows that it is still there.
 * @module
 */
import {
  ECANCELED,
  ECONNREFUSED,
  ECONNRESET,
  EPIPE,
  EPOLLERR,
  EPOLLHUP,
  EPOLLOUT,
  EPOLLRDHUP,
  ETIMEDOUT,
} from "../../../../ffi/consts.ts";
import { isConnecting, takeSocketError } from "../../../../ffi/sockets/sockopt.ts";
import { EXPIRED, FAILED, REFUSED, RESET, TIMED_OUT } from "../../shared/endings.ts";
import { ticks } from "../../loop/wheel.ts";
import { COUNTER } from "../../shared/state.ts";
import { keepErrors } from "../../sockets/transparent.ts";
import { NOBODY, POLICY, TARGET, UPSTREAM } from "../../upstream/greetings/greeting.ts";
import { PENDING } from "../../upstream/upstream.ts";
import { type Direction, type Session, stageOfOpen } from "../session.ts";
import { DIALLING, GREETING, WAITING } from "../stage_numbers.ts";
import type { Sniffing } from "./sniffing.ts";
import type { Life, Stage } from "./stage.ts";

/**
 * A client that has said nothing, and has ended, may wait for what the server says first; more often it has
 * given up. A server that is there answers by now, even if two SYNs were lost.
 */
const ENDED_TICKS = ticks(3000);

/** The stage. */
export class Dialling implements Stage {
  readonly #life: Life;
  readonly #sniffing: Sniffing;

  constructor(life: Life, sniffing: Sniffing) {
    this.#life = life;
    this.#sniffing = sniffing;
  }

  /** See {@linkcode Stage}. */
  enter(session: Session): number {
    const returned = this.#dial(session);
    if (returned < 0) this.#life.refuse(session, -returned, FAILED);
    else this.#life.note(session, "connection opened");
    if (returned >= 0 && session.up.hungUp) this.#clientEnded(session);
    return returned;
  }

  /** See {@linkcode Stage}. */
  ready(session: Session, upstreamSide: boolean, bits: number): void {
    if (!upstreamSide) this.heedClient(session, bits);
    else if ((bits & (EPOLLERR | EPOLLHUP)) !== 0) {
      const error = takeSocketError(session.upstreamFd);
      // It was connected before, and may have sent something. A reset that answers the dial is ECONNREFUSED.
      if (error === ECONNRESET || error === EPIPE) this.#connected(session, session.down);
      else this.failed(session, error, blameOfDial(session, error));
    } else if ((bits & EPOLLOUT) !== 0) this.#connected(session, null);
  }

  /** See {@linkcode Stage}. */
  due(session: Session): void {
    const { clock } = this.#life.context;
    const due = session.startedTick + session.upstream.patience(session);
    if (session.syn >= 0 && this.#goneTick(session) <= clock.tick) return this.#forget(session);
    if (clock.tick >= session.activeTick + ENDED_TICKS && hasGivenUp(session)) return this.#forget(session);
    if (clock.tick < due) return this.#schedule(session, due);
    const blame = session.greeting?.awaited ?? UPSTREAM;
    const isDirect = session.upstream.isDirect(session);
    // An upstream that still looks for its address has had its time: it would be asked for ever.
    const isPending = session.upstreamFd < 0;
    if (!isPending && this.#dialNext(session, ETIMEDOUT, blame)) return;
    if (isPending) this.#settle(session, ETIMEDOUT, blame);
    this.#life.note(session, "connect timeout");
    // A server that is silent is silent to its client too.
    if (!isDirect && blame === UPSTREAM) this.#life.tellClient(session, ECONNREFUSED);
    this.#life.end(session, true, TIMED_OUT);
  }

  /** Takes an event of the client's socket. */
  heedClient(session: Session, bits: number): void {
    if ((bits & EPOLLERR) !== 0) return this.#life.end(session, true, RESET);
    if (session.undecided && !this.#sniffing.glance(session)) return;
    if ((bits & EPOLLRDHUP) !== 0) this.#clientEnded(session);
  }

  /**
   * Goes on where a dial has failed, or the talk after it. `blame`: see greetings/greeting.ts. Another
   * address is dialled unless the fault is the destination's.
   */
  failed(session: Session, error: number, blame: number): void {
    const isDirect = session.upstream.isDirect(session);
    // Before its socket is closed, which knows more than an errno.
    const verdict = this.#life.verdict(session, error);
    if (this.#dialNext(session, error, blame)) return;
    if (isDirect) this.#life.tellVerdict(session, verdict);
    // An upstream that does not do its work refuses, whatever has happened to it.
    else this.#life.tellClient(session, mayHelp(blame) ? ECONNREFUSED : error);
    this.#giveUp(session, error);
  }

  /** Bytes may pass: its upstream has answered, and was told what it had to be told. */
  answered(session: Session): void {
    const { counters, ledgers } = this.#life.context;
    counters[COUNTER.connected]++;
    ledgers.tcp.answered(session.slot);
    this.#settle(session, 0, NOBODY);
    session.carried = true;
    // An open connection outlives ICMP errors.
    if (session.syn >= 0 || session.answer !== null) keepErrors(session.upstreamFd, session.client[0], false);
    session.answer = null;
    this.#life.enter(session, session.syn >= 0 ? WAITING : stageOfOpen(session));
  }

  /** Dials where the upstream has said PENDING. */
  resume(session: Session): void {
    if (!session.called || session.upstreamFd >= 0) return;
    session.called = false;
    const returned = this.#dial(session);
    if (returned < 0) this.#giveUp(session, -returned);
  }

  /**
   * Dials once more in place of a dial that is not over; of one that is, an event tells. 0, or the -errno
   * with which the session has ended. A proxy is dialled by ways of the router's own.
   */
  anew(session: Session): number {
    if (!session.upstream.isDirect(session) || !isConnecting(session.upstreamFd)) return 0;
    this.#settle(session, ECANCELED, NOBODY);
    this.#life.dropUpstream(session);
    const returned = this.#dial(session);
    if (returned < 0) this.#life.refuse(session, -returned, FAILED);
    return returned;
  }

  /** `dying`: the way from the upstream if that has been reset since. */
  #connected(session: Session, dying: Direction | null): void {
    session.dying = dying;
    session.greeting = session.upstream.greeting(session);
    if (session.greeting === null) this.answered(session);
    else this.#life.enter(session, GREETING);
  }

  #clientEnded(session: Session): void {
    const due = session.startedTick + session.upstream.patience(session);
    this.#schedule(session, Math.min(due, session.activeTick + ENDED_TICKS));
  }

  /** 0 or -errno: there is nothing to dial. */
  #dial(session: Session): number {
    const { clock } = this.#life.context;
    session.startedTick = clock.tick;
    const fd = session.upstream.dial(session);
    if (fd < 0 && fd !== PENDING) return fd;
    session.called = true;
    this.#schedule(session, clock.tick + session.upstream.patience(session));
    return fd === PENDING ? 0 : this.#life.attachUpstream(session, fd);
  }

  #schedule(session: Session, due: number): void {
    this.#life.schedule(session, session.syn < 0 ? due : Math.min(due, this.#goneTick(session)));
  }

  #goneTick({ syn }: Session): number {
    return this.#life.syns!.goneTick(syn);
  }

  /** The client does not send its SYN any more, or has ended. */
  #forget(session: Session): void {
    this.#life.note(session, "the client has gone");
    this.#life.end(session, true, EXPIRED);
  }

  #settle(session: Session, error: number, blame: number): void {
    session.called = false;
    session.upstream.settled(session, error, blame);
    session.greeting = null;
  }

  /** Dials another address where one has failed; false if there is none, or it would not help. */
  #dialNext(session: Session, error: number, blame: number): boolean {
    this.#settle(session, error, blame);
    this.#life.dropUpstream(session);
    session.dying = null;
    if (!mayHelp(blame)) return false;
    session.attempt++;
    session.stage = DIALLING;
    this.#life.context.ledgers.tcp.stage(session.slot, DIALLING);
    return this.#dial(session) >= 0;
  }

  #giveUp(session: Session, error: number): void {
    this.#life.note(session, "upstream failed", error);
    this.#life.end(session, true, error === ECONNREFUSED ? REFUSED : FAILED);
  }
}

function hasGivenUp(session: Session): boolean {
  return session.clientFd >= 0 && session.up.hungUp && !session.hasSent;
}

/** A server that refuses would refuse by any other way. */
function blameOfDial(session: Session, error: number): number {
  return error === ECONNREFUSED && session.upstream.isDirect(session) ? TARGET : UPSTREAM;
}

/** Tells whether another address may do better where one has failed. */
function mayHelp(blame: number): boolean {
  return blame !== TARGET && blame !== POLICY;
}
