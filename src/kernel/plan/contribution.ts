/**
 * Contributions: what each concern adds to the plan. Pure.
 * @module
 */
import type { PlannedChain, PlannedRule } from "./model.ts";
import type { PlannedSet } from "./rules/set.ts";

/** A gap in a chain, which other concerns fill. */
export type Gap =
  /** In all chains that take packets out of their way: answers that must not be taken. */
  | "answers"
  /** Among the packets of clients, before datagrams meet the rules. */
  | "remembered passes"
  /** Among the packets of clients, at the end. */
  | "errors of clients"
  /** Among the packets from elsewhere, at the end. */
  | "errors from elsewhere"
  /** Among the packets of the proxy, first. */
  | "signs of life";

/** A chain whose gaps are still open. */
export interface OpenChain extends Omit<PlannedChain, "rules"> {
  readonly rules: readonly (PlannedRule | Gap)[];
}

/** The part of a plan that one concern adds. */
export interface Contribution {
  readonly sets?: readonly PlannedSet[];
  readonly chains?: readonly OpenChain[];
  /** Rules for the gaps of other concerns' chains. */
  readonly at?: Partial<Readonly<Record<Gap, readonly PlannedRule[]>>>;
}

/** Concatenates the chains, and fills their gaps. */
export function joinChains(contributions: readonly Contribution[]): PlannedChain[] {
  const fill = (gap: Gap) => contributions.flatMap(({ at }) => at?.[gap] ?? []);
  return contributions.flatMap(({ chains = [] }) =>
    chains.map(({ rules, ...chain }) => ({
      ...chain,
      rules: rules.flatMap((rule) => typeof rule === "string" ? fill(rule) : [rule]),
    }))
  );
}
