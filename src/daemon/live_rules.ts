/**
 * The rules of this process, with `admission: forward-path`: they are there while it runs, and follow the
 * plan.
 * @module
 */
import { type LiveTable, openLiveTable } from "../kernel/live/live_table.ts";
import { planLive } from "../kernel/plan/live/live_plan.ts";
import { knownSet } from "../kernel/plan/live/memory.ts";
import { LIVE_OPTIONS } from "../kernel/plan/live/options.ts";
import type { Plan } from "../kernel/plan/model.ts";

/** See the module. */
export interface LiveRules {
  /** Makes the rules those of the plan, at once. Throws an OperationError; they are as before then. */
  adopt(plan: Plan): void;
  /** Flows of UDP that are relayed ask again. Throws an OperationError. */
  forget(): void;
  /** No new flow is taken from now on; those that are relayed go on. */
  drain(): void;
  /** Removes them. */
  close(): void;
}

/** For `admission: early`, whose rules are all of the install. */
export const NO_LIVE_RULES: LiveRules = { adopt() {}, forget() {}, drain() {}, close() {} };

/**
 * Claims the place of the rules, which one proxy alone can have. Nothing is taken until the first plan.
 * Throws an OperationError.
 */
export function openLiveRules(workers: number): LiveRules {
  return new OwnedRules(openLiveTable(), workers);
}

class OwnedRules implements LiveRules {
  readonly #table: LiveTable;
  readonly #workers: number;
  #plan: Plan | undefined;
  #accepting = true;

  constructor(table: LiveTable, workers: number) {
    this.#table = table;
    this.#workers = workers;
  }

  adopt(plan: Plan): void {
    this.#replace(plan);
    this.#plan = plan;
  }

  forget(): void {
    for (const family of this.#plan?.families ?? []) this.#table.empty(knownSet(family));
  }

  drain(): void {
    this.#accepting = false;
    if (this.#plan !== undefined) this.#replace(this.#plan);
  }

  close(): void {
    this.#table.close();
  }

  #replace({ intent: { scope } }: Plan): void {
    const options = { ...LIVE_OPTIONS, workers: this.#workers, accepting: this.#accepting };
    this.#table.replace(planLive(scope, options));
  }
}
