/**
 * The rules of this process, with `admission: forward-path`: they are there while it runs, and follow the
 * plan.
 * @module
 */
import { howToHold } from "../kernel/live/ability.ts";
import { adoptLiveTable, type GivenTable, type LiveTable, openLiveTable } from "../kernel/live/live_table.ts";
import { addUnrelayed, NONE_UNRELAYED, type Unrelayed } from "../kernel/live/unrelayed.ts";
import { planLive } from "../kernel/plan/live/live_plan.ts";
import { knownSet } from "../kernel/plan/live/memory.ts";
import { ALL_CHANGES, LIVE_OPTIONS, type OutputChanges } from "../kernel/plan/live/options.ts";
import type { Plan } from "../kernel/plan/model.ts";
import { watches } from "../kernel/plan/scope.ts";
import { unlessRefused } from "../net/error.ts";
import { type Endpoint, formatEndpoint } from "../net/ip.ts";

/** See the module. */
export interface LiveRules {
  /**
   * Makes the rules those of the plan, at once. `taking`: new flows are taken; false where the install is not
   * for this proxy. Throws an OperationError; they are as before then.
   */
  adopt(plan: Plan, taking: boolean): void;
  /** Flows of UDP that are relayed ask again. Throws an OperationError. */
  forget(): void;
  /** Takes over the addresses of upstreams that have names. Throws an OperationError. */
  spare(upstreams: readonly Endpoint[]): void;
  /** Takes over what other programs' rules change. Throws an OperationError. */
  keepFrom(others: OutputChanges): void;
  /** Counts connections that were forwarded since their TCP options are carried by no proxy. */
  unrelayed(): Readonly<Unrelayed>;
  /** No new flow is taken from now on; those that are relayed go on. */
  drain(): void;
  /**
   * Describes them for a process that is to have them, and changes nothing until {@linkcode takeBack}. null:
   * there are none.
   */
  give(): GivenTable | null;
  /** Makes the changes that were wanted meanwhile. Throws an OperationError. */
  takeBack(): void;
  /** Removes them, unless another process has them too. */
  close(): void;
}

/** For `admission: early`, whose rules are all of the install. */
export const NO_LIVE_RULES: LiveRules = {
  adopt() {},
  forget() {},
  spare() {},
  keepFrom() {},
  unrelayed: () => NONE_UNRELAYED,
  drain() {},
  give: () => null,
  takeBack() {},
  close() {},
};

/**
 * Claims the place of the rules, which one proxy alone can have. Nothing is taken until the first plan.
 * Throws an OperationError.
 */
export function openLiveRules(workers: number): LiveRules {
  return new OwnedRules(openLiveTable(), workers);
}

/** Goes on with the rules of another process. */
export function adoptLiveRules(given: GivenTable, workers: number): LiveRules {
  return new OwnedRules(adoptLiveTable(given), workers);
}

class OwnedRules implements LiveRules {
  readonly #table: LiveTable;
  readonly #workers: number;
  #plan: Plan | undefined;
  #taking = false;
  #draining = false;
  /** Another process is about to have them. */
  #given = false;
  #upstreams: readonly Endpoint[] = [];
  #others: OutputChanges = ALL_CHANGES;
  /** Those of rules that are gone. */
  #unrelayed: Readonly<Unrelayed> = NONE_UNRELAYED;

  constructor(table: LiveTable, workers: number) {
    this.#table = table;
    this.#workers = workers;
  }

  adopt(plan: Plan, taking: boolean): void {
    this.#replace(plan, taking && !this.#draining);
    this.#plan = plan;
    this.#taking = taking;
  }

  spare(upstreams: readonly Endpoint[]): void {
    const textOf = (places: readonly Endpoint[]) => places.map(formatEndpoint).join();
    if (textOf(upstreams) === textOf(this.#upstreams)) return; // as after most reloads
    this.#upstreams = upstreams;
    if (this.#plan !== undefined) this.adopt(this.#plan, this.#taking);
  }

  keepFrom(others: OutputChanges): void {
    this.#others = others;
    if (this.#plan !== undefined) this.adopt(this.#plan, this.#taking);
  }

  unrelayed(): Unrelayed {
    return addUnrelayed(this.#unrelayed, this.#countNow());
  }

  forget(): void {
    if (this.#given) return;
    for (const family of this.#plan?.families ?? []) this.#table.empty(knownSet(family));
  }

  drain(): void {
    this.#draining = true;
    if (this.#plan !== undefined) this.#replace(this.#plan, false);
  }

  give(): GivenTable {
    this.#given = true;
    return this.#table.give();
  }

  takeBack(): void {
    this.#given = false;
    if (this.#plan !== undefined) this.#replace(this.#plan, this.#taking && !this.#draining);
  }

  close(): void {
    this.#table.close();
  }

  #replace({ intent: { scope } }: Plan, accepting: boolean): void {
    if (this.#given) return;
    const options = {
      ...LIVE_OPTIONS,
      workers: this.#workers,
      accepting,
      upstreams: this.#upstreams,
      holding: watches(scope) ? howToHold() : LIVE_OPTIONS.holding,
      others: this.#others,
    };
    const before = this.#countNow();
    if (this.#table.replace(planLive(scope, options))) {
      this.#unrelayed = addUnrelayed(this.#unrelayed, before);
    }
  }

  /** Nothing depends on it: where the rules cannot be read, there are none. */
  #countNow(): Readonly<Unrelayed> {
    return this.#given ? NONE_UNRELAYED : unlessRefused(() => this.#table.unrelayed()) ?? NONE_UNRELAYED;
  }
}
