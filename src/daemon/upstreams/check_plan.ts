/**
 * Times of an upstream's checks, and what follows from them: `rise`, `fall`, and the time for which one that
 * comes and goes is held down. Pure.
 * @module
 */
import type { CheckConfig } from "../../config/upstreams/types.ts";
import { DOWN, REFUSED, UP } from "../../dataplane/upstream/health.ts";

/** End of a check. */
export type CheckResult =
  | { readonly kind: "works" }
  | { readonly kind: "failed" | "refused"; readonly reason: string };

/** One that nobody has used for so long is not checked. */
const USED_MS = 5 * 60_000;
/** One that goes down again within this time after it came up is a flapper. */
const STEADY_MS = 5 * 60_000;
const FIRST_HOLD_MS = 10_000;
const MOST_HOLD_MS = 5 * 60_000;
/** Checks come by so much earlier or later. */
const JITTER = 0.2;

/** Facts that a check depends on, at a time in milliseconds. */
export interface CheckMoment {
  readonly now: number;
  /** From 0 to 1, by chance. */
  readonly chance: number;
}

/** The checks of one upstream. */
export class CheckPlan {
  /** UP, DOWN or REFUSED. */
  state: number;
  /** Time at which it came into this state. */
  since: number;
  /** Reason why it is not up; "": it is. */
  reason = "";
  #check: CheckConfig;
  #nextAt: number;
  #running = false;
  /** Checks of one kind in a row. */
  #row = 0;
  #cameUpAt = -Infinity;
  #holdMs = 0;

  /** Before the first check it counts as up. */
  constructor(check: CheckConfig, { now }: Pick<CheckMoment, "now">) {
    this.#check = check;
    this.state = UP;
    this.since = now;
    this.#nextAt = now;
  }

  /** Other times and numbers, after a reload. */
  adopt(check: CheckConfig): void {
    this.#check = check;
  }

  /** Tells whether a check is to begin, and takes note that it does: there is one at a time. */
  begins({ now }: Pick<CheckMoment, "now">, idleMs: number): boolean {
    if (this.#running || now < this.#nextAt || (this.state === UP && idleMs > USED_MS)) return false;
    this.#running = true;
    return true;
  }

  /** Takes note of what a check has met. */
  ended(result: CheckResult, moment: CheckMoment): void {
    this.#running = false;
    if (result.kind === "works") this.#worked(moment);
    else if (result.kind === "refused") this.#become(REFUSED, result.reason, moment);
    else this.#failed(result.reason, moment);
    this.#nextAt = Math.max(this.#nextAt, moment.now + this.#spread(this.#check.intervalMs, moment));
  }

  /** Takes note that connections have found it in another state. */
  found(state: number, reason: string, moment: CheckMoment): void {
    if (state !== this.state) this.#become(state, reason, moment);
  }

  #worked(moment: CheckMoment): void {
    if (this.state === UP) return void (this.#row = 0);
    this.#row++;
    if (this.#row >= this.#check.rise) this.#become(UP, "", moment);
  }

  #failed(reason: string, moment: CheckMoment): void {
    if (this.state === DOWN) {
      this.reason = reason;
      this.#row = 0;
    } else if (this.state === REFUSED || ++this.#row >= this.#check.fall) this.#become(DOWN, reason, moment);
  }

  #become(state: number, reason: string, moment: CheckMoment): void {
    const { now } = moment;
    this.reason = reason;
    if (state === this.state) return;
    if (state === UP) this.#cameUpAt = now;
    if (this.state === UP) {
      const flaps = now - this.#cameUpAt < STEADY_MS;
      this.#holdMs = flaps ? Math.min(Math.max(2 * this.#holdMs, FIRST_HOLD_MS), MOST_HOLD_MS) : 0;
      const wait = Math.max(this.#holdMs, this.#check.intervalMs);
      this.#nextAt = now + this.#spread(wait, moment);
    }
    this.state = state;
    this.since = now;
    this.#row = 0;
  }

  #spread(milliseconds: number, { chance }: CheckMoment): number {
    return milliseconds * (1 - JITTER + 2 * JITTER * chance);
  }
}
