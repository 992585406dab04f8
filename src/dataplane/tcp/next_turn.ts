/**
 * Remembers the sessions whose turn was over before they had nothing to do. Nothing is allocated for a turn.
 * @module
 */
import type { Session } from "./session.ts";

/** The sessions that have more to do in the next turn. */
export class NextTurn {
  #sessions: Session[] = [];
  /** The list of the turn before, to be used again. */
  #spare: Session[] = [];

  /** The number of sessions; one that has ended since counts as well. */
  get size(): number {
    return this.#sessions.length;
  }

  /** Adds a session, once. */
  add(session: Session): void {
    if (session.queued) return;
    session.queued = true;
    this.#sessions.push(session);
  }

  /** Takes all out and gives each that lives to `visit`, which may add it again for the turn after. */
  begin(visit: (session: Session) => void): void {
    const sessions = this.#sessions;
    this.#sessions = this.#spare;
    this.#spare = sessions;
    for (let i = 0; i < sessions.length; i++) {
      sessions[i].queued = false;
      if (sessions[i].tag !== 0) visit(sessions[i]);
    }
    sessions.length = 0;
  }
}
