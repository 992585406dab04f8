/**
 * The stage of a session whose upstream has answered, while its client does not know yet: its SYN is given to
 * the listener, and the connection that follows is this session's. The upstream's bytes, its end and its
 * reset wait.
 * @module
 */
import { EPOLLERR } from "../../../../ffi/consts.ts";
import { VERDICT_TTL } from "../../../constants.ts";
import { ticks } from "../../loop/wheel.ts";
import { EXPIRED } from "../../shared/endings.ts";
import { COUNTER } from "../../shared/state.ts";
import type { Session } from "../session.ts";
import type { Life, Stage } from "./stage.ts";

/**
 * The time in which a client completes its connection: the listener answers its SYN after 0, 1, 3 and 7
 * seconds. One that hears nothing of it sends its SYN again; one that has gone resets what it hears.
 */
const WAITING_TICKS = ticks(8000);

/** The stage. */
export class Waiting implements Stage {
  readonly #life: Life;

  constructor(life: Life) {
    this.#life = life;
  }

  /** See {@linkcode Stage}. */
  enter(session: Session): number {
    const { clock } = this.#life.context;
    session.startedTick = clock.tick;
    this.#life.schedule(session, clock.tick + WAITING_TICKS);
    // One that is lost is made good by the client, who repeats its SYN.
    this.#life.syns!.tell(session.syn, VERDICT_TTL.accept);
    return 0;
  }

  /** See {@linkcode Stage}. A client that has been answered is told of a reset when it is there. */
  ready(session: Session, _upstreamSide: boolean, bits: number): void {
    if ((bits & EPOLLERR) !== 0) session.dying = session.down;
  }

  /** See {@linkcode Stage}. */
  due(session: Session): void {
    const { clock, counters } = this.#life.context;
    const due = Math.max(session.startedTick + WAITING_TICKS, this.#life.syns!.goneTick(session.syn));
    if (clock.tick < due) return this.#life.schedule(session, due);
    counters[COUNTER.unclaimed]++;
    this.#life.note(session, "the client has not completed its connection");
    this.#life.end(session, true, EXPIRED);
  }
}
