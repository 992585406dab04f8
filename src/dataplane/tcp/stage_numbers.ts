/**
 * The stages of a TCP session's life, as its row in the ledger has them. Pure.
 * @module
 */

/** The session has begun, and is in no stage yet: nothing is watched. */
export const NEW = -1;
/** The client's name decides, and is not known yet. The upstream is dialled, or not. */
export const SNIFFING = 0;
/** The upstream has not answered yet, or is not even dialled. */
export const DIALLING = 1;
/** The upstream has answered, and is told where the session wants to go. */
export const GREETING = 2;
/** A SYN is held, and may be answered: the client's connection is not accepted yet. */
export const WAITING = 3;
/** Bytes may go both ways. */
export const OPEN = 4;
/** One side has ended. */
export const HALF_CLOSED = 5;
/** One side was reset; the other is reset too as soon as it has what was sent before. */
export const RESETTING = 6;
/** Another process is told of the session: nothing of it is touched. Its row keeps the stage before. */
export const PARKED = 7;

/** A word for each stage that a row may have, by number. */
export const STAGE_NAMES = [
  "deciding",
  "dialling",
  "greeting",
  "waiting",
  "open",
  "half-closed",
  "resetting",
] as const;
