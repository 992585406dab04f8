/**
 * The times in which a disturbance may cost flows, and the failures outside of them. Pure.
 * @module
 */

/** A flow that failed, as one of its ends saw it. Times are milliseconds since 1970. */
export interface Failure {
  readonly begin: number;
  readonly end: number;
  /** A byte was not the one that was sent: nothing excuses that. */
  readonly wrong: boolean;
  /** Kind of flow, and the port. */
  readonly what: string;
  /** The client's port as this end sees it: NAT and upstreams give the server another one. */
  readonly peer: string;
  /** The number of the flow, which both ends read in its bytes; undefined: it is of no flow. */
  readonly id: string | undefined;
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

/** Divides failures: a flow that lived in a window is excused, and so is what its other end saw of it. */
export function divide(
  failures: readonly Failure[],
  windows: readonly Window[],
): { excused: Failure[]; failed: Failure[]; wrong: Failure[] } {
  const wrong = failures.filter((failure) => failure.wrong);
  const rest = failures.filter((failure) => !failure.wrong);
  const lived = new Set(rest.filter((failure) => during(failure, windows).some(({ excuses }) => excuses)));
  const ids = new Set([...lived].flatMap(({ id }) => id ?? []));
  const isExcused = (failure: Failure) =>
    lived.has(failure) || (failure.id !== undefined && ids.has(failure.id));
  return { wrong, excused: rest.filter(isExcused), failed: rest.filter((failure) => !isExcused(failure)) };
}

/** Finds the disturbances while the flow lived. */
export function during({ begin, end }: Failure, windows: readonly Window[]): Window[] {
  return windows.filter((window) => begin <= window.end && end >= window.begin);
}
