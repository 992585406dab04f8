/**
 * The times in which a disturbance may cost flows, and the failures outside of them. Pure.
 * @module
 */

/** A flow that failed. Times are milliseconds since 1970. */
export interface Failure {
  readonly begin: number;
  readonly end: number;
  /** A byte was not the one that was sent: nothing excuses that. */
  readonly wrong: boolean;
  /** Kind of flow, and the port. */
  readonly what: string;
  /** The client's port, by which a capture can be searched. */
  readonly peer: string;
  readonly why: string;
}

/** A disturbance, while it lasted. */
export interface Window {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
  /** Flows that lived then may have failed by it. */
  readonly excuses: boolean;
}

/** The two ends of a flow that was cut see it within this time of one another, on a busy machine. */
const APART_MS = 1000;

/** Divides failures: a flow that lived in a window is excused, and so is what its other end saw of it. */
export function divide(
  failures: readonly Failure[],
  windows: readonly Window[],
): { excused: Failure[]; failed: Failure[]; wrong: Failure[] } {
  const wrong = failures.filter((failure) => failure.wrong);
  const rest = failures.filter((failure) => !failure.wrong);
  const lived = new Set(rest.filter((failure) => during(failure, windows).some(({ excuses }) => excuses)));
  const byPeer = Map.groupBy(lived, ({ peer }) => peer);
  const isExcused = (failure: Failure) =>
    lived.has(failure) || (byPeer.get(failure.peer) ?? []).some((other) => isSameFlow(failure, other));
  return { wrong, excused: rest.filter(isExcused), failed: rest.filter((failure) => !isExcused(failure)) };
}

/** Tells whether these are the two ends of one flow, of which one is the server's. */
function isSameFlow(one: Failure, other: Failure): boolean {
  return one.what.startsWith("server") !== other.what.startsWith("server") &&
    one.what.split(" ")[1] === other.what.split(" ")[1] &&
    one.begin <= other.end + APART_MS && other.begin <= one.end + APART_MS;
}

/** Finds the disturbances while the flow lived. */
export function during({ begin, end }: Failure, windows: readonly Window[]): Window[] {
  return windows.filter((window) => begin <= window.end && end >= window.begin);
}
