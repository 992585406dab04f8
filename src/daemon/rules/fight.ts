/**
 * The end of a fight: where another program removes our rules each time that we make them, one of the two
 * must give in. Pure.
 * @module
 */

/** Repairs that are no fight yet: a firewall may be loaded several times at boot. */
const ROUNDS = 8;
const WINDOW_MS = 60_000;
/** Milliseconds after which it is tried again. */
const PAUSE_MS = 600_000;

/** See the module. Times in milliseconds, of a clock that only grows. */
export class Fight {
  readonly #rounds: number[] = [];
  #until = -Infinity;

  /** Tells whether it was given up. */
  givenUp(now: number): boolean {
    return now < this.#until;
  }

  /** Counts a repair that is about to be made; false: it is one too many. */
  strike(now: number): boolean {
    if (this.givenUp(now)) return false;
    const rounds = this.#rounds;
    while (rounds.length > 0 && now - rounds[0] > WINDOW_MS) rounds.shift();
    rounds.push(now);
    if (rounds.length <= ROUNDS) return true;
    rounds.length = 0;
    this.#until = now + PAUSE_MS;
    return false;
  }

  /** Somebody has installed, or wants another config: it is tried again. */
  forget(): void {
    this.#rounds.length = 0;
    this.#until = -Infinity;
  }
}
