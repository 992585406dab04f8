/**
 * The form that all stages of a session's life have.
 * @module
 */
import type { WorkerContext } from "../../context.ts";
import type { HeldSyns } from "../../asking/held_syns.ts";
import type { Session } from "../session.ts";

/**
 * All code that runs while a session is in a stage. Stages hold no sessions: there is one object of each for
 * a worker.
 */
export interface Stage {
  /** Begins the stage. 0, or the -errno with which it has ended the session at once. */
  enter(session: Session): number;
  /**
   * Takes an event of one side's socket. The session's directions know already what is readable and writable.
   * `bits` 0: there is no event, the turn before left something to do.
   */
  ready(session: Session, upstreamSide: boolean, bits: number): void;
  /** The session's timer has come round. It is not in the wheel any more. */
  due(session: Session): void;
}

/** All that a stage may do to a session besides its own work. */
export interface Life {
  readonly context: WorkerContext;
  /** The SYNs of sessions that have no client's connection yet; null: there is no such session. */
  readonly syns: HeldSyns | null;
  /** Notes where it goes and what has decided that; `route`: see upstream/table.ts. */
  route(session: Session, rule: number, route: number): void;
  /** Refuses it because of a rule; `silent`: without a word to its client. */
  block(session: Session, silent: boolean): void;
  /** Goes over to another stage. Returns the number that its `enter` returns. */
  enter(session: Session, stage: number): number;
  /** Has its timer come round at this tick of the worker's clock. */
  schedule(session: Session, tick: number): void;
  /** Gives it a turn after this one. */
  continueLater(session: Session): void;
  /** Gives it a socket towards the upstream, and watches that. 0 or -errno. */
  attachUpstream(session: Session, fd: number): number;
  /** Tells a client whose SYN is held that the dial has failed with an errno. */
  tellClient(session: Session, error: number): void;
  /** The verdict for the client of a dial that has failed with an errno: see asking/verdict.ts. */
  verdict(session: Session, error: number): number;
  /** Tells it to a client whose SYN is held. */
  tellVerdict(session: Session, verdict: number): void;
  /** Closes the socket towards the upstream. */
  dropUpstream(session: Session): void;
  /** Writes a line about it into the log, at level debug; `error`: an errno, 0 for none. */
  note(session: Session, message: string, error?: number): void;
  /**
   * Ends one that has come no further than its dial: the client is reset, or told of the error. `error` 0:
   * without a line in the log, and without a word to a client whose SYN is held.
   */
  refuse(session: Session, error: number, ending: number): void;
  /** Ends it, with a reset of both sides or cleanly. `ending`: see shared/endings.ts. */
  end(session: Session, reset: boolean, ending: number): void;
}
