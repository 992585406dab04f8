/**
 * Policy routing as the kernel has it against what a plan wants. Pure.
 * @module
 */
import type { ObjectStatus } from "../backend/object_status.ts";
import type { Plan } from "../plan/model.ts";
import {
  type InstalledRouting,
  routeEntry,
  type RoutingEntry,
  ruleEntry,
  toRoute,
  toRoutingRule,
} from "./state.ts";

/** The way from what is there to what a plan wants. */
export interface RoutingDifference {
  /** Entries to add, in this order. */
  readonly missing: readonly RoutingEntry[];
  /** Entries of ours that nobody wants any more. */
  readonly stale: readonly RoutingEntry[];
}

/** Finds what must be added, and what of ours must go. The rules of a running proxy move with the others. */
export function findDifference(plan: Plan, installed: InstalledRouting): RoutingDifference {
  const { pins = [] } = installed;
  const priority = plan.routingRules[0]?.priority;
  const wanted = [
    // Routes first: a rule that leads to an empty table is passed over.
    ...plan.routes.filter((route) => !route.foreign).map((route) => routeEntry(toRoute(route))),
    ...plan.routingRules.map((rule) => ruleEntry(toRoutingRule(rule))),
    ...pins.map((pin) => ruleEntry({ ...pin, priority: priority ?? pin.priority })),
  ];
  const present = [
    ...installed.rules.map(ruleEntry),
    ...installed.routes.map(routeEntry),
    ...pins.map(ruleEntry),
  ];
  const has = (entries: readonly RoutingEntry[], entry: RoutingEntry) =>
    entries.some(({ label }) => label === entry.label);
  return {
    missing: wanted.filter((entry) => !has(present, entry)),
    stale: present.filter((entry) => !has(wanted, entry)),
  };
}

/** Gives the state of each routing rule and route: those of the plan first, then what is of ours besides. */
export function compareRouting(plan: Plan, installed: InstalledRouting): ObjectStatus[] {
  const { missing, stale } = findDifference(plan, { ...installed, pins: [] });
  const state = (label: string) => missing.some((entry) => entry.label === label) ? "missing" : "present";
  const isRule = (label: string) => installed.rules.some((rule) => ruleEntry(rule).label === label);
  return [
    ...plan.routingRules.map((rule) => ruleEntry(toRoutingRule(rule)).label)
      .map((name) => ({ kind: "routing-rule", name, state: state(name) } as const)),
    ...plan.routes.map((route) => {
      const name = routeEntry(toRoute(route)).label;
      if (!route.foreign) return { kind: "route", name, state: state(name) } as const;
      return { kind: "route", name, state: "present", detail: "made by another program" } as const;
    }),
    ...stale.map(({ label }) => ({
      kind: isRule(label) ? "routing-rule" : "route",
      name: label,
      state: "foreign",
      detail: "of an install with another config",
    } as const)),
  ];
}
