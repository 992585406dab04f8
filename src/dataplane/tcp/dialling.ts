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
} from "../../../ffi/consts.ts";
import { isConnecting, takeSocketError } from "../../../ffi/sockets/sockopt.ts";
import { EXPIRED, FAILED, REFUSED, RESET, TIMED_OUT } from "../shared/endings.ts";
import { ticks } from "../loop/wheel.ts";
import { COUNTER } from "../shared/state.ts";
import { keepErrors } from "../sockets/transparent.ts";
import { PENDING, type Upstream } from "../upstream/upstream.ts";
import { OPEN, RESETTING, type Session, WAITING } from "./session.ts";
import type { Life, Stage } from "./stage.ts";

/**
 * A client that has said nothing, and has ended, may wait for what the server says first; more often it has
 * given up. A server that is there answers by now, even if two SYNs were lost.
 */
const ENDED_TICKS = ticks(3000);

/** The stage. */
export class Dialling implements Stage {
  readonly #life: Life;
  readonly #upstream: Upstream;

  constructor(life: Life, upstream: Upstream) {
    this.#life = life;
    this.#upstream = upstream;
  }

  /** See {@linkcode Stage}. */
  enter(session: Session): number {
    const returned = this.#dial(session);
    if (returned < 0) this.#life.refuse(session, -returned, FAILED);
    else this.#life.note(session, "connection opened");
    return returned;
  }

  /** See {@linkcode Stage}. */
  ready(session: Session, upstreamSide: boolean, bits: number): void {
    if (!upstreamSide) {
      if ((bits & EPOLLERR) !== 0) this.#life.end(session, true, RESET);
      else if ((bits & EPOLLRDHUP) !== 0) this.#clientEnded(session);
    } else if ((bits & (EPOLLERR | EPOLLHUP)) !== 0) {
      this.#failed(session, takeSocketError(session.upstreamFd));
    } else if ((bits & EPOLLOUT) !== 0) {
      this.#answered(session);
      if (session.syn < 0) this.#life.enter(session, OPEN);
      else {
        // An open connection outlives ICMP errors.
        keepErrors(session.upstreamFd, session.client[0], false);
        this.#life.enter(session, WAITING);
      }
    }
  }

  /** See {@linkcode Stage}. */
  due(session: Session): void {
    const { clock, settings } = this.#life.context;
    const due = session.startedTick + settings.connectTicks;
    if (session.syn >= 0 && this.#goneTick(session) <= clock.tick) return this.#forget(session);
    if (clock.tick >= session.activeTick + ENDED_TICKS && hasGivenUp(session)) return this.#forget(session);
    if (clock.tick < due) return this.#schedule(session, due);
    // An upstream that still looks for its address has had its time: it would be asked for ever.
    const isPending = session.upstreamFd < 0;
    if (!isPending && this.#dialNext(session, ETIMEDOUT)) return;
    if (isPending) this.#settle(session, ETIMEDOUT);
    this.#life.note(session, "connect timeout");
    this.#life.end(session, true, TIMED_OUT);
  }

  #clientEnded(session: Session): void {
    const { settings } = this.#life.context;
    const due = session.startedTick + settings.connectTicks;
    this.#schedule(session, Math.min(due, session.activeTick + ENDED_TICKS));
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
   * with which the session has ended.
   */
  anew(session: Session): number {
    if (!isConnecting(session.upstreamFd)) return 0;
    this.#settle(session, ECANCELED);
    this.#life.dropUpstream(session);
    const returned = this.#dial(session);
    if (returned < 0) this.#life.refuse(session, -returned, FAILED);
    return returned;
  }

  /** 0 or -errno: there is nothing to dial. */
  #dial(session: Session): number {
    const { clock, settings } = this.#life.context;
    const fd = this.#upstream.dial(session);
    if (fd < 0 && fd !== PENDING) return fd;
    session.called = true;
    session.startedTick = clock.tick;
    this.#schedule(session, clock.tick + settings.connectTicks);
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

  #settle(session: Session, error: number): void {
    session.called = false;
    this.#upstream.settled(session, error);
  }

  #answered(session: Session): void {
    this.#life.context.counters[COUNTER.connected]++;
    this.#settle(session, 0);
  }

  #failed(session: Session, error: number): void {
    if (error === ECONNRESET || error === EPIPE) {
      // It was connected before, and may have sent something. A reset that answers the dial is ECONNREFUSED.
      this.#answered(session);
      session.dying = session.down;
      this.#life.enter(session, session.syn < 0 ? RESETTING : WAITING);
    } else {
      // Before its socket is closed, which knows more than an errno.
      this.#life.tellClient(session, error);
      if (!this.#dialNext(session, error)) this.#giveUp(session, error);
    }
  }

  /** Dials another address where one has failed; false if there is none. */
  #dialNext(session: Session, error: number): boolean {
    this.#settle(session, error);
    this.#life.dropUpstream(session);
    session.attempt++;
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
