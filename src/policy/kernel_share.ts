/**
 * The part of the policy that the kernel decides. Pure.
 *
 * The kernel walks the rules in order, as the proxy does, and knows no names. A rule with names divides the
 * flows that meet its other conditions by what stands behind it: such a flow may end as the rule says, or as
 * any rule with names says that it meets later, or as the first without. Where all these ends are the same
 * the kernel decides after all; where each is to pass or to be refused it watches the flow; otherwise the
 * flow goes to the proxy, which reads the name. So every flow gets the cheapest treatment that is still right
 * for it, whatever the rules around it say.
 * @module
 */
import type { Config } from "../config/types.ts";
import { type Conditions, conditionsOf, coversAll, hasNames, intersect } from "./conditions.ts";
import { findObstacle, type PolicyScope } from "./obstacle.ts";
import { type Outcome, sameOutcome, undecidedOutcome } from "./outcome.ts";
import { defaultVariants, type Variant, variantsOf } from "./routes/variants.ts";

/** A rule as the kernel applies it. */
export interface KernelRule {
  /** Its place in `rules`; -1: the default. */
  readonly index: number;
  /** Number among the kernel's rules that come from the same one. */
  readonly part: number;
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
  /**
   * Rules for flows from client to client that the rules above give to the proxy: they go there where the
   * first of these whose conditions are met does not pass them; others are forwarded.
   */
  readonly insisting: readonly KernelRule[];
  /** Rules that match nothing here. */
  readonly never: readonly IdleRule[];
}

/**
 * Bound of the rules that come of names: behind it flows go to the proxy, which decides the same, for more.
 * Only a config with dozens of rules with names that overlap comes here.
 */
const MAX_DIVIDED = 2000;
const PASS: Outcome = { kind: "pass" };

/** Divides the rules between the kernel and the proxy. */
export function kernelShare(config: Config, scope: PolicyScope): KernelShare {
  const never = findNever(config, scope);
  const matching = config.rules.flatMap((_, index) =>
    never.some((idle) => idle.index === index) ? [] : variantsOf(index, config)
  ).filter(({ conditions }) => findObstacle(conditions, config, scope) === undefined);
  const defaults = defaultVariants(config);
  const division = new Division([...matching, ...defaults], config, scope);
  const { outcome, why } = defaults[defaults.length - 1];
  return {
    rules: numberParts(division.rules()),
    otherwise: { outcome, why },
    insisting: numberParts(insistingRules(matching, config, scope)),
    never,
  };
}

/**
 * Finds the rules that hold from client to client: those that name destinations. Others and the default were
 * written for the internet, and let such flows pass; one with names is not asked at all.
 */
function insistingRules(matching: readonly Variant[], config: Config, scope: PolicyScope): Leaf[] {
  const asked = matching.filter(({ named, conditions }) => !named || conditions.to !== undefined);
  const variants = asked.map((variant): Variant =>
    variant.conditions.to === undefined ? { ...variant, outcome: PASS } : variant
  );
  const rest: Variant = {
    index: -1,
    conditions: {},
    outcome: PASS,
    named: false,
    why: "from client to client",
  };
  const leaves = new Division([...variants, rest], config, scope).rules()
    // What the kernel refuses or delivers by itself is decided by then, unless a name may decide otherwise.
    .filter(({ outcome: { kind } }) =>
      kind === "pass" || kind === "proxy" || matching.some(({ named }) => named)
    );
  return leaves.slice(0, leaves.findLastIndex(({ outcome }) => outcome.kind !== "pass") + 1);
}

/** Finds the rules that match nothing, for what they ask or for what stands before them. */
export function findNever(config: Config, scope: PolicyScope): IdleRule[] {
  return config.rules.flatMap((rule, index) => {
    const { name } = rule;
    const conditions = conditionsOf(rule);
    const obstacle = findObstacle(conditions, config, scope);
    if (obstacle !== undefined) return [{ index, name, why: obstacle }];
    const before = config.rules.findIndex((other, place) =>
      place < index && !hasNames(other) && coversAll(conditionsOf(other), conditions)
    );
    return before < 0 ? [] : [{ index, name, why: `rules[${before}] matches all that it could` }];
  });
}

type Leaf = Omit<KernelRule, "part">;

/** The division of all flows by the rules that they meet. */
class Division {
  readonly #variants: readonly Variant[];
  readonly #config: Config;
  readonly #scope: PolicyScope;
  #count = 0;

  /** The last of `variants` has no conditions, and no names. */
  constructor(variants: readonly Variant[], config: Config, scope: PolicyScope) {
    this.#variants = variants;
    this.#config = config;
    this.#scope = scope;
  }

  /** Makes the kernel's rules. The last variant says what becomes of all else. */
  rules(): Leaf[] {
    return this.#variants.slice(0, -1).flatMap((variant, place) => {
      const { index, conditions, outcome, named, why } = variant;
      return named
        ? this.#divide(conditions, place + 1, [outcome], variant)
        : [{ index, conditions, outcome, why }];
    });
  }

  /**
   * Makes the rules for the flows of `space`, in order; the last is for all that are left of it. They have
   * met `asker` and may have met others with names, which end in `ends`; `next` is the first variant that
   * they may meet now.
   */
  #divide(space: Conditions, next: number, ends: readonly Outcome[], asker: Variant): Leaf[] {
    const leaves: Leaf[] = [];
    let last = asker;
    for (let place = next; !this.#isSettled(ends); place++) {
      const variant = this.#variants[place];
      const part = intersect(space, variant.conditions);
      if (part === undefined || findObstacle(part, this.#config, this.#scope) !== undefined) continue;
      const more = withOutcome(ends, variant.outcome);
      const whole = coversAll(variant.conditions, space);
      if (whole) {
        ends = more;
        if (!variant.named) {
          last = variant;
          break;
        }
      } else if (!variant.named) leaves.push(this.#leaf(part, more, asker, variant));
      else if (more !== ends) leaves.push(...this.#divide(part, place + 1, more, asker));
    }
    const rest = this.#leaf(space, ends, asker, last);
    while (leaves.length > 0 && sameOutcome(leaves[leaves.length - 1].outcome, rest.outcome)) leaves.pop();
    return [...leaves, rest];
  }

  /** Tells whether no further end changes what the kernel does. */
  #isSettled(ends: readonly Outcome[]): boolean {
    return this.#count > MAX_DIVIDED || undecidedOutcome(ends).kind === "proxy";
  }

  #leaf(conditions: Conditions, ends: readonly Outcome[], asker: Variant, last: Variant): Leaf {
    const outcome: Outcome = this.#count++ > MAX_DIVIDED ? { kind: "proxy" } : undecidedOutcome(ends);
    const how = ends.length === 1 ? "whatever the name is" : "where the name is one of its own";
    const why = last === asker ? asker.why : `${asker.why}, ${how}; else ${last.why}`;
    return { index: asker.index, conditions, outcome, why };
  }
}

/** The same list where the outcome is in it. */
function withOutcome(ends: readonly Outcome[], outcome: Outcome): readonly Outcome[] {
  return ends.some((end) => sameOutcome(end, outcome)) ? ends : [...ends, outcome];
}

function numberParts(leaves: readonly Leaf[]): KernelRule[] {
  const parts = new Map<number, number>();
  return leaves.map((leaf) => {
    const part = parts.get(leaf.index) ?? 0;
    parts.set(leaf.index, part + 1);
    return { ...leaf, part };
  });
}
