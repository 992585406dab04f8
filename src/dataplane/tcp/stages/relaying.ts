/**
 * The stage of a session that is open or half-closed: bytes go both ways, as far as they go.
 * @module
 */
import { EPOLLERR } from "../../../../ffi/consts.ts";
import { ticks } from "../../loop/wheel.ts";
import { CLOSED, EXPIRED } from "../../shared/endings.ts";
import { askOften, keepAlive } from "../../sockets/transparent.ts";
import { MORE, type Relay } from "../bytes/relay.ts";
import type { Direction, Session } from "../session.ts";
import { HALF_CLOSED, OPEN, RESETTING } from "../stage_numbers.ts";
import type { Life, Stage } from "./stage.ts";

/**
 * Only a connection that lives so long gets keepalive on its upstream leg: four system calls that most never
 * need.
 */
const KEEPALIVE_AFTER_TICKS = ticks(2000);

/** The same for a session that stays half-closed, to ask more often whether both ends are there. */
const ASK_OFTEN_AFTER_TICKS = ticks(60_000);

/** The stage. */
export class Relaying implements Stage {
  readonly #life: Life;
  readonly #relay: Relay;

  constructor(life: Life, relay: Relay) {
    this.#life = life;
    this.#relay = relay;
  }

  /** See {@linkcode Stage}. */
  enter(session: Session): number {
    const { clock, settings } = this.#life.context;
    this.#life.schedule(session, clock.tick + Math.min(settings.idleTicks, KEEPALIVE_AFTER_TICKS));
    this.#pump(session);
    return 0;
  }

  /** See {@linkcode Stage}. */
  ready(session: Session, upstreamSide: boolean, bits: number): void {
    if ((bits & EPOLLERR) === 0) this.#pump(session);
    else this.#reset(session, upstreamSide ? session.down : session.up);
  }

  /** See {@linkcode Stage}. */
  due(session: Session): void {
    const { clock, settings } = this.#life.context;
    if (!session.keptAlive) {
      session.keptAlive = true;
      keepAlive(session.upstreamFd);
    }
    const isOpen = session.stage === OPEN;
    if (!isOpen && !session.askedOften && clock.tick - session.activeTick >= ASK_OFTEN_AFTER_TICKS) {
      session.askedOften = true;
      askOften(session.clientFd);
      askOften(session.upstreamFd);
    }
    const due = session.activeTick + (isOpen ? settings.idleTicks : settings.halfClosedTicks);
    if (clock.tick < due) {
      const next = isOpen || session.askedOften
        ? due
        : Math.min(due, session.activeTick + ASK_OFTEN_AFTER_TICKS);
      // Never: then it is the kernel that asks both ends.
      return next === Infinity ? undefined : this.#life.schedule(session, next);
    }
    this.#life.note(session, "idle timeout");
    this.#life.end(session, true, EXPIRED);
  }

  /** Ends the session when both directions have finished. */
  #pump(session: Session): void {
    const up = this.#relay.pump(session.up);
    if (up < 0 || session.up.failure < 0) return this.#failed(session, session.up);
    const down = this.#relay.pump(session.down);
    if (down < 0 || session.down.failure < 0) return this.#failed(session, session.down);
    if (session.up.finished && session.down.finished) {
      return this.#life.end(session, false, CLOSED);
    }
    if (up === MORE || down === MORE) this.#life.continueLater(session);
    if (session.stage === OPEN && (session.up.finished || session.down.finished)) {
      const { clock, settings, ledgers } = this.#life.context;
      session.stage = HALF_CLOSED;
      ledgers.tcp.stage(session.slot, HALF_CLOSED);
      this.#life.schedule(session, clock.tick + Math.min(settings.halfClosedTicks, ASK_OFTEN_AFTER_TICKS));
    }
  }

  /** Finds the side that failed: the source, or else the target, whose bytes are still to be passed on. */
  #failed(session: Session, direction: Direction): void {
    this.#reset(session, direction.failure < 0 ? direction : direction.opposite);
  }

  /** One side was reset or died: `dying` leads away from it. */
  #reset(session: Session, dying: Direction): void {
    session.dying = dying;
    this.#life.enter(session, RESETTING);
  }
}
