/**
 * The part of the policy that the kernel decides. Pure.
 *
 * The kernel walks the rules in order, as the proxy does. A rule that only the proxy can decide sends all
 * that it may concern to the proxy; so what stands behind it decides for the rest alone, and is left out
 * where there is no rest.
 * @module
 */
import type { Config, RuleConfig } from "../config/types.ts";
import { type Conditions, coversAll } from "./conditions.ts";
import { findObstacle, type PolicyScope } from "./obstacle.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";

/** A rule as the kernel applies it. */
export interface KernelRule {
  /** Its place in `rules`. */
  readonly index: number;
  /** All must be met. */
  readonly conditions: Conditions;
  /** The fate of a flow that meets them. */
  readonly outcome: Outcome;
  /** `rules[2] (guests): block`, and why the kernel does not decide alone. */
  readonly why: string;
}

/** A rule that the kernel need not know. */
export interface IdleRule {
  readonly index: number;
  readonly name: string;
  /** `tcp is not among intercept.protocols`. */
  readonly why: string;
}

/** The kernel's part of the decisions. */
export interface KernelShare {
  /** The first whose conditions are met decides. */
  readonly rules: readonly KernelRule[];
  /** The outcome of what none of them matches. */
  readonly otherwise: { readonly outcome: Outcome; readonly why: string };
  /** Rules that match nothing here. */
  readonly never: readonly IdleRule[];
  /** Rules that the proxy alone comes to. */
  readonly behind: readonly IdleRule[];
}

/** Divides the rules between the kernel and the proxy. */
export function kernelShare(config: Config, scope: PolicyScope): KernelShare {
  const rules: KernelRule[] = [];
  const never: IdleRule[] = [];
  const behind: IdleRule[] = [];
  const undecided: KernelRule[] = [];
  for (const [index, rule] of config.rules.entries()) {
    const { name } = rule;
    const obstacle = findObstacle(rule, config, scope);
    const hiding = undecided.find(({ conditions }) => coversAll(conditions, rule));
    if (obstacle !== undefined) {
      never.push({ index, name, why: obstacle });
    } else if (hiding !== undefined) {
      behind.push({ index, name, why: `rules[${hiding.index}] sends to the proxy all that it could match` });
    } else {
      const shared = shareRule(rule, index);
      rules.push(shared);
      if (rule.domains !== undefined) undecided.push(shared);
    }
  }
  const otherwise = { outcome: outcomeOf({ action: config.default }), why: `default: ${config.default}` };
  return { rules, otherwise, never, behind };
}

function shareRule(rule: RuleConfig, index: number): KernelRule {
  const { from, to, ports, protocol, interfaces, mac, domains, name, action } = rule;
  const conditions: Conditions = {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(ports === undefined ? {} : { ports }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(interfaces === undefined ? {} : { interfaces }),
    ...(mac === undefined ? {} : { mac }),
  };
  const why = `rules[${index}] (${name}): ${action}`;
  return domains === undefined ? { index, conditions, outcome: outcomeOf(rule), why } : {
    index,
    conditions,
    outcome: { kind: "proxy" },
    why: `${why}, where the proxy finds one of its domains`,
  };
}
