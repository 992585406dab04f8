/**
 * Tells the service manager's watchdog that the proxy lives, as long as every worker's loop turns. A worker
 * that has nothing to do sleeps and turns no loop: it is woken, and a loop that is well turns at once. So
 * idle workers need no timer of their own, and a loop that hangs in a system call, or in itself, is seen.
 * @module
 */

/** The workers' loops, as the data plane shows them. */
export interface Loops {
  /** Counts the turns of each so far; -1: it has ended, as it was told. */
  turns(): number[];
  wake(worker: number): void;
}

/** Actions of the watchdog. */
export interface WatchdogActions {
  /** All turn. */
  feed(): void;
  /** These workers have begun to hang, or none does any more. Told when it changes. */
  hanging(workers: readonly number[]): void;
}

/**
 * After being woken a loop is given so many milliseconds, step by step: it may be busy, and the machine too.
 */
const STEPS_MS = [10, 40, 150, 300, 500, 1000];

/** Looks after the loops every `intervalMs` until it is ended. */
export function startWatchdog(loops: Loops, actions: WatchdogActions, intervalMs: number): { end(): void } {
  const steps = STEPS_MS.filter((ms) => ms < intervalMs / 2);
  let ended = false;
  let seen = loops.turns();
  let known = "";
  let timer = setTimeout(look, intervalMs);

  function still(): number[] {
    return loops.turns().flatMap((turns, worker) => turns >= 0 && turns === seen[worker] ? [worker] : []);
  }

  function look(): void {
    for (const worker of still()) loops.wake(worker);
    lookAgain(0);
  }

  function lookAgain(step: number): void {
    if (ended) return;
    const hanging = still();
    if (hanging.length > 0 && step < steps.length) {
      timer = setTimeout(() => lookAgain(step + 1), steps[step]);
      return;
    }
    seen = loops.turns();
    if (known !== hanging.join()) actions.hanging(hanging);
    known = hanging.join();
    if (hanging.length === 0) actions.feed();
    timer = setTimeout(look, intervalMs);
  }

  return {
    end() {
      ended = true;
      clearTimeout(timer);
    },
  };
}
