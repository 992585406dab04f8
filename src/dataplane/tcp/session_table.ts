/**
 * The sessions of a worker by slot. Session objects are used again.
 * @module
 */
import { bytesDown, bytesUp } from "../shared/ledger.ts";
import { Session } from "./session.ts";

/** A table of sessions. */
export class SessionTable {
  readonly #sessions: Session[] = [];
  readonly #free: Session[] = [];
  #nextTag = 1;

  /** The number of live sessions. */
  get size(): number {
    return this.#sessions.length - this.#free.length;
  }

  /** A new session, without descriptors. */
  open(tick: number): Session {
    const session = this.#free.pop() ?? this.#grow();
    session.begin(this.#nextTag, tick);
    this.#nextTag = this.#nextTag === 0xffffffff ? 1 : this.#nextTag + 1;
    return session;
  }

  /** The session that an event belongs to, or undefined if it has ended. */
  find(slot: number, tag: number): Session | undefined {
    const session = this.#sessions[slot];
    return session !== undefined && session.tag === tag && tag !== 0 ? session : undefined;
  }

  /** The session that is in this slot, or was last. */
  at(slot: number): Session {
    return this.#sessions[slot];
  }

  /** Ends a session; its events are stale from now on. */
  close(session: Session): void {
    session.tag = 0;
    session.clientFd = session.upstreamFd = -1;
    session.dying = null;
    this.#free.push(session);
  }

  /** Lists up to `most` live sessions of which `is` is true. */
  list(most: number, is: (session: Session) => boolean): Session[] {
    const list: Session[] = [];
    for (const session of this.#sessions) {
      if (list.length === most) break;
      if (session.tag !== 0 && is(session)) list.push(session);
    }
    return list;
  }

  /** Calls `visit` for each live session; it may close that one. */
  forEach(visit: (session: Session) => void): void {
    for (const session of this.#sessions) if (session.tag !== 0) visit(session);
  }

  #grow(): Session {
    const slot = this.#sessions.length;
    const session = new Session(slot, { up: bytesUp(slot), down: bytesDown(slot) });
    this.#sessions.push(session);
    return session;
  }
}
