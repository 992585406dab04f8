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

/** Divides failures: a flow that lived in a window is excused. */
export function divide(
  failures: readonly Failure[],
  windows: readonly Window[],
): { excused: Failure[]; failed: Failure[]; wrong: Failure[] } {
  const wrong = failures.filter((failure) => failure.wrong);
  const rest = failures.filter((failure) => !failure.wrong);
  const isExcused = (failure: Failure) => during(failure, windows).some(({ excuses }) => excuses);
  return { wrong, excused: rest.filter(isExcused), failed: rest.filter((failure) => !isExcused(failure)) };
}

/** Finds the disturbances while the flow lived. */
export function during({ begin, end }: Failure, windows: readonly Window[]): Window[] {
  return windows.filter((window) => begin <= window.end && end >= window.begin);
}
