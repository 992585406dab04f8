/**
 * The stage of a session whose client's name decides: it is looked at where it lies, and nothing is taken, so
 * that whoever gets the bytes gets all of them. The kernel tells when as many are there as the reader wants.
 * A server that was dialled meanwhile ends it by speaking first.
 *
 * A session of which nobody knows who speaks first may come here once more when its upstream has answered, to
 * see that: it is open as soon as one of both has said something.
 * @module
 */
import { EAGAIN, EPOLLERR, MSG_DONTWAIT, MSG_PEEK, SO_RCVLOWAT, SOL_SOCKET } from "../../../../ffi/consts.ts";
import { receiveWithFlags } from "../../../../ffi/sockets/socket.ts";
import { setInt } from "../../../../ffi/sockets/sockopt.ts";
import { FoundName, NAME, NONE, TLS } from "../../../sniff/found.ts";
import { readStream, STREAM_LIMIT } from "../../../sniff/stream.ts";
import { ticks } from "../../loop/wheel.ts";
import { FAILED, RESET } from "../../shared/endings.ts";
import { COUNTER } from "../../shared/state.ts";
import type { Deciding } from "../deciding.ts";
import { type Session, stageOfOpen } from "../session.ts";
import { DIALLING, SNIFFING } from "../stage_numbers.ts";
import type { Life, Stage } from "./stage.ts";

/** The time for a head that has begun: enough for two lost segments. */
const HEAD_TICKS = ticks(3000);

// Results of looking.
const WAITS = 0;
const DECIDED = 1;
const ENDED = -1;

/** The stage. */
export class Sniffing implements Stage {
  readonly #life: Life;
  readonly #deciding: Deciding;
  readonly #scratch = new Uint8Array(STREAM_LIMIT);
  readonly #byte = new Uint8Array(1);
  readonly #found = new FoundName();

  constructor(life: Life, deciding: Deciding) {
    this.#life = life;
    this.#deciding = deciding;
  }

  /** See {@linkcode Stage}. */
  enter(session: Session): number {
    this.#restart(session);
    this.#look(session);
    return 0;
  }

  /** See {@linkcode Stage}. */
  ready(session: Session, upstreamSide: boolean, bits: number): void {
    if ((bits & EPOLLERR) !== 0) {
      if (!upstreamSide) return this.#life.end(session, true, RESET);
      session.dying = session.down;
    }
    this.#look(session);
  }

  /** See {@linkcode Stage}. */
  due(session: Session): void {
    const { clock, counters } = this.#life.context;
    const due = this.#dueTick(session);
    if (clock.tick < due) return this.#life.schedule(session, due);
    if (session.undecided) {
      counters[COUNTER.sniffTimeouts]++;
      session.quiet = !session.begun && !session.ahead;
      if (this.#settle(session, null) === ENDED) return;
    }
    this.#goOn(session);
  }

  /** Looks at what the client of a session says that is DIALLING. False: the session has ended. */
  glance(session: Session): boolean {
    if (!session.up.readable) return true;
    const { upstream } = session;
    const read = this.#read(session);
    if (read !== DECIDED || session.upstream === upstream) return read !== ENDED;
    // Other rules have come into force since it was dialled.
    this.#life.end(session, true, FAILED);
    return false;
  }

  #look(session: Session): void {
    if (!session.undecided) return this.#lookForFirst(session);
    const read = session.up.readable ? this.#read(session) : WAITS;
    if (read === DECIDED) return this.#goOn(session);
    if (read === ENDED || this.#hear(session) === -EAGAIN) return;
    this.#life.context.counters[COUNTER.sniffServerFirst]++;
    if (this.#settle(session, null) === DECIDED) this.#goOn(session);
  }

  #lookForFirst(session: Session): void {
    const isClient = session.up.readable && session.hasSent;
    const heard = isClient ? 0 : this.#hear(session);
    if (heard === -EAGAIN) return;
    if (isClient || heard > 0) this.#deciding.servers.note(session, !isClient);
    this.#goOn(session);
  }

  /** The first byte of the upstream: 1, 0 or another errno than EAGAIN where that is its end. */
  #hear(session: Session): number {
    if (session.upstreamFd < 0 || !session.down.readable) return -EAGAIN;
    const heard = receiveWithFlags(session.upstreamFd, this.#byte, MSG_PEEK | MSG_DONTWAIT);
    if (heard === -EAGAIN) session.down.readable = false;
    else if (heard < 0) session.dying = session.down;
    return heard;
  }

  /** Reads as far as the client has come. */
  #read(session: Session): number {
    const { counters } = this.#life.context;
    const found = this.#found;
    const length = receiveWithFlags(session.clientFd, this.#scratch, MSG_PEEK | MSG_DONTWAIT);
    if (length === -EAGAIN) return WAITS;
    if (length < 0) {
      this.#life.end(session, true, RESET);
      return ENDED;
    }
    const read = length === 0 ? NONE : readStream(this.#scratch, length, found);
    // It has ended: there will be no more.
    if (read > 0 && !session.up.hungUp) return this.#await(session, read);
    const isNamed = read === NAME;
    if (!isNamed) counters[COUNTER.sniffNone]++;
    else counters[found.protocol === TLS ? COUNTER.sniffTls : COUNTER.sniffHttp]++;
    return this.#settle(session, isNamed ? found : null);
  }

  /** Has the kernel wake us when the stream has so many bytes. */
  #await(session: Session, bytes: number): number {
    if (!session.begun) {
      session.begun = true;
      if (session.stage === SNIFFING) this.#restart(session);
    }
    session.lowWater = bytes;
    setInt(session.clientFd, SOL_SOCKET, SO_RCVLOWAT, bytes);
    return WAITS;
  }

  #settle(session: Session, found: FoundName | null): number {
    const { upstream, stage, lowWater } = session;
    if (lowWater !== 1) {
      session.lowWater = 1;
      setInt(session.clientFd, SOL_SOCKET, SO_RCVLOWAT, 1);
    }
    if (!this.#deciding.settle(session, found)) return ENDED;
    // Other rules have come into force since it was dialled.
    if (session.upstream !== upstream && session.upstreamFd >= 0 && stage === SNIFFING) {
      this.#life.dropUpstream(session);
    }
    return DECIDED;
  }

  #goOn(session: Session): void {
    const { clock } = this.#life.context;
    if (session.upstreamFd >= 0) {
      session.quiet = false;
      this.#life.enter(session, stageOfOpen(session));
    } else {
      session.begunTick = clock.tick;
      this.#life.enter(session, DIALLING);
    }
  }

  #restart(session: Session): void {
    session.startedTick = this.#life.context.clock.tick;
    this.#life.schedule(session, this.#dueTick(session));
  }

  #dueTick(session: Session): number {
    const isBegin = session.undecided && !session.begun;
    return session.startedTick + (isBegin ? this.#life.context.settings.sniffTicks : HEAD_TICKS);
  }
}
