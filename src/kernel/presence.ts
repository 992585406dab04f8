/**
 * The state of the kernel against a plan, as a whole. Pure.
 * @module
 */
import type { Plan } from "./plan/model.ts";
import type { ObjectStatus } from "./backend/object_status.ts";

/**
 * `whole`: all that the plan wants is there, and nothing else of ours. `none`: nothing of ours is there.
 * `flushed`: policy routing is there and nothing else, as a firewall leaves it that flushes all rules at its
 * start. `damaged`: a part is missing. `other`: an install of another config or network is there, or somebody
 * has changed it.
 */
export type Presence = "whole" | "none" | "flushed" | "damaged" | "other";

/** Judges a status. */
export function judgePresence(objects: readonly ObjectStatus[]): Presence {
  const ours = objects.filter(({ kind, detail }) => kind !== "route" || detail === undefined);
  if (ours.every(({ state }) => state === "present")) return "whole";
  const routing = ours.filter(isRouting);
  const rules = ours.filter((object) => !routing.includes(object));
  if (!ours.every(({ state }) => state === "present" || state === "missing")) return "other";
  if (!rules.every(({ state }) => state === "missing")) return "damaged";
  if (routing.every(({ state }) => state === "missing")) return "none";
  return routing.every(({ state }) => state === "present") ? "flushed" : "damaged";
}

/** Tells whether an object is of policy routing, and not of the rules. */
export function isRouting({ kind }: ObjectStatus): boolean {
  return kind === "routing-rule" || kind === "route";
}

/** The difference of two plans of one config, made at different times. */
export interface PlanChange {
  /** Interfaces whose clients are intercepted now, and no longer. */
  readonly lanAdded: readonly string[];
  readonly lanRemoved: readonly string[];
  /** The same of the other interfaces. */
  readonly othersAdded: readonly string[];
  readonly othersRemoved: readonly string[];
  /** Rules and sets differ, not policy routing alone. */
  readonly table: boolean;
}

/** The difference, or undefined if there is none. */
export function comparePlans(before: Plan, after: Plan): PlanChange | undefined {
  const table = tableKey(before) !== tableKey(after);
  if (!table && routingKey(before) === routingKey(after)) return undefined;
  return describePlans(before, after, { table });
}

/** The difference between two plans whose tables are the same, or are not. */
export function describePlans(before: Plan, after: Plan, { table }: { readonly table: boolean }): PlanChange {
  return {
    lanAdded: without(after.lan, before.lan),
    lanRemoved: without(before.lan, after.lan),
    othersAdded: without(after.others, before.others),
    othersRemoved: without(before.others, after.others),
    table,
  };
}

/** Sets other than those of interfaces depend on the config alone, and may be long. */
function tableKey({ families, intent: { chains, sets } }: Plan): string {
  const interfaces = sets.filter(({ type }) => type === "ifname");
  return JSON.stringify([families, chains, interfaces, sets.map(({ name }) => name)]);
}

/** Their order is that in which the interfaces were made, and does not matter. */
function routingKey({ routingRules, routes }: Plan): string {
  return JSON.stringify([routingRules.map((rule) => JSON.stringify(rule)).toSorted(), routes]);
}

function without(names: readonly string[], others: readonly string[]): string[] {
  return names.filter((name) => !others.includes(name));
}
