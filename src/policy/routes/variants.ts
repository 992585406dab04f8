/**
 * Rules as the kernel could apply them, with one outcome each. Pure.
 *
 * Only what goes to an upstream needs more than one: where the upstream carries no UDP, or cannot reach a
 * family, the flow ends as `when-down` says.
 * @module
 */
import type { Action, Config } from "../../config/types.ts";
import { type Conditions, conditionsOf, hasNames, intersect } from "../conditions.ts";
import { FLOW_KINDS, type FlowKind } from "./kinds.ts";
import { type Outcome, outcomeOf, sameOutcome } from "../outcome.ts";
import { defaultRule, type RoutedRule, routeOf } from "./route.ts";

/** A rule, or a part of it. */
export interface Variant {
  /** Its place in `rules`; -1: what no rule matches. */
  readonly index: number;
  readonly conditions: Conditions;
  readonly outcome: Outcome;
  /** Tells whether it matches flows of some names alone. */
  readonly named: boolean;
  /** `rules[2] (guests): block`. */
  readonly why: string;
}

/** Finds the parts of a rule. */
export function variantsOf(index: number, config: Config): Variant[] {
  const rule = config.rules[index];
  const { name, action } = rule;
  const base = conditionsOf(rule);
  const common = { index, named: hasNames(rule) };
  const label = `rules[${index}] (${name}): ${action}`;
  return partsOf(rule, config).flatMap(({ only, outcome, why }) => {
    const conditions = intersect(base, only);
    return conditions === undefined ? [] : [{ ...common, conditions, outcome, why: label + why }];
  });
}

/** Finds the parts of what no rule matches. The last has no conditions. */
export function defaultVariants(config: Config): Variant[] {
  const parts = partsOf(defaultRule(config), config);
  return parts.map(({ only, outcome, why }, place) => ({
    index: -1,
    conditions: place === parts.length - 1 ? {} : only,
    outcome,
    named: false,
    why: `default: ${config.default}${why}`,
  }));
}

interface Part {
  readonly only: Conditions;
  readonly outcome: Outcome;
  /** Addition to the rule's own words. */
  readonly why: string;
}

function partsOf(rule: RoutedRule, config: Config): Part[] {
  const { protocols, families } = config.intercept;
  const kinds = FLOW_KINDS
    .filter(({ protocol, family }) => protocols.includes(protocol) && families.includes(family))
    .map((kind) => {
      const route = routeOf(rule, config, kind);
      return { kind, action: route.action, outcome: outcomeOf(route) };
    });
  const split = (parts: Conditions[]): Part[] | undefined => {
    const divided = parts.map((only) => ({ only, of: kinds.filter(({ kind }) => isAmong(kind, only)) }));
    const uniform = divided.every(({ of }) => of.every(({ outcome }) => sameOutcome(outcome, of[0].outcome)));
    return uniform
      ? divided.map(({ only, of: [{ action, outcome }] }) => ({
        only,
        outcome,
        why: wordsOf(only, rule, action),
      }))
      : undefined;
  };
  return split([{}]) ?? split(protocols.map((protocol) => ({ protocol }))) ??
    split(families.map((family) => ({ family }))) ??
    kinds.map(({ kind, action, outcome }) => ({ only: kind, outcome, why: wordsOf(kind, rule, action) }));
}

function isAmong(kind: FlowKind, only: Conditions): boolean {
  return (only.protocol ?? kind.protocol) === kind.protocol && (only.family ?? kind.family) === kind.family;
}

/** Says so where an upstream cannot carry a part, which ends by `action` then. */
function wordsOf(only: Conditions, rule: RoutedRule, action: Action): string {
  if (action === rule.action) return "";
  const what = [only.family, only.protocol].filter((word) => word !== undefined).join(" ");
  return `, but ${rule.upstream} cannot carry ${what || "any of it"}: ${action}`;
}
