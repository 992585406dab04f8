/**
 * The stage of a session after one side was reset or died. The other side still gets all that was sent to it
 * before, and is then reset too.
 * @module
 */
import { ECONNRESET, EPOLLERR } from "../../../../ffi/consts.ts";
import { unacknowledgedBytes } from "../../../../ffi/sockets/sockopt.ts";
import { ticks } from "../../loop/wheel.ts";
import { RESET } from "../../shared/endings.ts";
import { MORE, type Relay } from "../bytes/relay.ts";
import type { Session } from "../session.ts";
import type { Life, Stage } from "./stage.ts";

/** The time that bytes from before a reset have to reach the other side. */
const RESETTING_TICKS = ticks(5000);

/** The stage. */
export class Resetting implements Stage {
  readonly #life: Life;
  readonly #relay: Relay;

  constructor(life: Life, relay: Relay) {
    this.#life = life;
    this.#relay = relay;
  }

  /** See {@linkcode Stage}. `session.dying` is the way from the side that was reset. */
  enter(session: Session): number {
    const dying = session.dying!;
    session.startedTick = this.#life.context.clock.tick;
    // Whoever met the error first has taken it from the socket: reading might end as if nothing had happened.
    if (dying.failure === 0) dying.failure = -ECONNRESET;
    dying.readable = dying.hungUp = true;
    this.#pump(session);
    return 0;
  }

  /** See {@linkcode Stage}. */
  ready(session: Session, upstreamSide: boolean, bits: number): void {
    if ((bits & EPOLLERR) === 0) return this.#pump(session);
    if (session.dying === (upstreamSide ? session.down : session.up)) this.enter(session);
    else this.#life.end(session, true, RESET); // the second side to fail has nobody left to tell
  }

  /** See {@linkcode Stage}. */
  due(session: Session): void {
    const { tick } = this.#life.context.clock;
    if (tick - session.startedTick < RESETTING_TICKS) this.#pump(session);
    else this.#life.end(session, true, RESET);
  }

  #pump(session: Session): void {
    const dying = session.dying!;
    const returned = this.#relay.pump(dying);
    if (returned === MORE) this.#life.continueLater(session);
    const passedOn = returned < 0 || dying.finished;
    if (passedOn && unacknowledgedBytes(dying.to) <= 0) this.#life.end(session, true, RESET);
    // No event comes when the other side has acknowledged.
    else this.#life.schedule(session, this.#life.context.clock.tick + 1);
  }
}
