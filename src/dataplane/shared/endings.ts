/**
 * The ways in which a session ends. Pure.
 * @module
 */

/** The names of all endings; a number is a place in this list. */
export const ENDINGS = [
  "closed",
  "reset",
  "refused",
  "timed-out",
  "failed",
  "expired",
  "evicted",
  "blocked",
  "lost",
  "over-limit",
  "looped",
] as const;

/** The name of an ending. */
export type Ending = typeof ENDINGS[number];

/** Both sides have said all that they had to say, or the proxy has ended as it was told. */
export const CLOSED = 0;
/** One side was reset, or the proxy has reset both. */
export const RESET = 1;
/** The upstream has refused the connection. */
export const REFUSED = 2;
/** The upstream has not answered. */
export const TIMED_OUT = 3;
/** The upstream could not be reached. */
export const FAILED = 4;
/** The session was silent for too long. */
export const EXPIRED = 5;
/** The session had to make room for another. */
export const EVICTED = 6;
/** A rule blocks it. */
export const BLOCKED = 7;
/** Its worker has failed. */
export const LOST = 8;
/** Its client had as many as it may have. */
export const OVER_LIMIT = 9;
/** Its client had dialled the listener itself. */
export const LOOPED = 10;
