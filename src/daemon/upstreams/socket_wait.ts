/**
 * Waits for a socket in the main thread, whose event loop goes on meanwhile. Checks and questions are few: a
 * timer that looks now and then costs less than a thread that waits.
 * @module
 */
import { ETIMEDOUT, POLLERR, POLLHUP } from "../../../ffi/consts.ts";
import { PollSet } from "../../../ffi/poll.ts";

/** Milliseconds between two looks: the first, and the most. */
const FIRST_MS = 2;
const MOST_MS = 32;

/** The time and its timers. */
export interface Pauses {
  /** Milliseconds, from any beginning. */
  now(): number;
  pause(milliseconds: number): Promise<void>;
}

/** The time as it is. */
export const REAL_PAUSES: Pauses = {
  now: () => performance.now(),
  pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

/** Waits until one of the events, or an error, has come about: 0; -ETIMEDOUT at `until`. */
export async function waitForSocket(
  fd: number,
  events: number,
  until: number,
  pauses: Pauses,
): Promise<number> {
  const set = new PollSet(1);
  set.set(0, fd, events);
  for (let ms = FIRST_MS;; ms = Math.min(2 * ms, MOST_MS)) {
    if (set.wait(0) > 0 && (set.ready(0) & (events | POLLERR | POLLHUP)) !== 0) return 0;
    const left = until - pauses.now();
    if (left <= 0) return -ETIMEDOUT;
    await pauses.pause(Math.min(ms, left));
  }
}
