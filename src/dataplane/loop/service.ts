/**
 * Says all that a part of a worker must offer to the loop.
 * @module
 */

/**
 * A part of a worker: descriptors in its loop's epoll, timers, or both. Nothing in it throws once it has
 * started, or allocates per event. The life of one: start, then events and turns, drain, and close when it is
 * idle or at once.
 */
export interface Service {
  /** Puts its descriptors into the loop. 0 or -errno. */
  start(): number;
  /** Takes an event; `key` and `tag` are those that it gave to `Loop.watch`. */
  event(key: number, tag: number, bits: number): void;
  /** Ends a turn: does what was put off, and runs timers. */
  turn(): void;
  /** Milliseconds that the loop may sleep, -1 for ever. */
  timeout(): number;
  /** Begins nothing new. */
  drain(): void;
  /** Tells, after {@linkcode Service.drain}, that there is nothing left to wait for. */
  idle(): boolean;
  /** Ends all that is left, and closes its descriptors. */
  close(): void;
}
