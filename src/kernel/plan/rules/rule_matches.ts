/**
 * The rules of the config as conditions, and the sets that these look into. Pure.
 * @module
 */
import type { Family, Prefix } from "../../../net/ip.ts";
import { mergeRanges, prefixRange } from "../../../net/ranges.ts";
import type { Conditions } from "../../../policy/conditions.ts";
import type { KernelRule } from "../../../policy/kernel_share.ts";
import { ofFamily, usableFamilies } from "../../../policy/obstacle.ts";
import type { Condition } from "./condition.ts";
import type { PlannedSet } from "./set.ts";

/** A rule of the config that can match. */
export interface MatchedRule extends KernelRule {
  /**
   * The conditions of one planned rule each; the rule of the config matches where all of one of them hold.
   */
  readonly alternatives: readonly (readonly Condition[])[];
}

/**
 * Finds the conditions of every rule. `prefix`: of the names of its sets; `networkSets`: those that are there
 * already, to which it adds.
 */
export function matchRules(
  rules: readonly KernelRule[],
  families: readonly Family[],
  { prefix = "rule", networkSets = new Map() }: {
    readonly prefix?: string;
    readonly networkSets?: NetworkSets;
  } = {},
): { readonly rules: readonly MatchedRule[]; readonly sets: readonly PlannedSet[] } {
  const sets: PlannedSet[] = [];
  const matched = rules.map((rule): MatchedRule => {
    const builder = new RuleBuilder(rule, families, { prefix, networkSets });
    sets.push(...builder.sets);
    return { ...rule, alternatives: builder.alternatives };
  });
  return { rules: matched, sets };
}

/**
 * Sets of networks by the list that they come of: rules that names divide into several keep the same lists,
 * which may be long.
 */
export type NetworkSets = Map<readonly Prefix[], Partial<Record<Family, string>>>;

/** The conditions of one rule; collects the sets that they need. */
class RuleBuilder {
  readonly sets: PlannedSet[] = [];
  readonly alternatives: readonly (readonly Condition[])[];
  readonly #prefix: string;
  readonly #reason: string;
  readonly #networkSets: NetworkSets;

  constructor(
    { index, part, conditions, why }: KernelRule,
    families: readonly Family[],
    { prefix, networkSets }: { readonly prefix: string; readonly networkSets: NetworkSets },
  ) {
    this.#networkSets = networkSets;
    this.#prefix = `${prefix}${index}${part === 0 ? "" : `_${part}`}`;
    this.#reason = why;
    const common = this.#commonConditions(conditions);
    this.alternatives =
      conditions.from === undefined && conditions.to === undefined && conditions.family === undefined
        ? [common]
        : usableFamilies(conditions, families).map((family) => [
          { kind: "family", family },
          ...common,
          ...this.#address("source", conditions.from, family),
          ...this.#address("destination", conditions.to, family),
        ]);
  }

  /** Those that are the same in both families. */
  #commonConditions({ protocol, ports, interfaces, mac }: Conditions): Condition[] {
    const conditions: Condition[] = [];
    if (protocol !== undefined) conditions.push({ kind: "protocol", protocols: [protocol] });
    if (ports !== undefined) {
      const set = this.#add("ports", { type: "inet_service", elements: ports });
      conditions.push({ kind: "destination-port", set, negate: false });
    }
    if (interfaces !== undefined) {
      const set = this.#add("in", { type: "ifname", elements: [...new Set(interfaces)] });
      conditions.push({ kind: "input-interface", set, negate: false });
    }
    if (mac !== undefined) {
      const set = this.#add("mac", { type: "ether_addr", elements: [...new Set(mac)] });
      conditions.push({ kind: "hardware-address", set });
    }
    return conditions;
  }

  #address(
    side: "source" | "destination",
    networks: readonly Prefix[] | undefined,
    family: Family,
  ): Condition[] {
    if (networks === undefined) return [];
    const known = this.#networkSets.get(networks) ?? {};
    const set = known[family] ?? this.#addNetworks(side, networks, family);
    this.#networkSets.set(networks, { ...known, [family]: set });
    return [{ kind: "address", side, family, set }];
  }

  #addNetworks(side: "source" | "destination", networks: readonly Prefix[], family: Family): string {
    const elements = mergeRanges(ofFamily(networks, family).map(prefixRange));
    return this.#add(`${side === "source" ? "from" : "to"}_${family}`, {
      type: family === "ipv4" ? "ipv4_addr" : "ipv6_addr",
      elements,
    });
  }

  #add(name: string, content: SetContent): string {
    const set = `${this.#prefix}_${name}`;
    this.sets.push({ name: set, reason: this.#reason, ...content });
    return set;
  }
}

type WithoutName<T> = T extends unknown ? Omit<T, "name" | "reason"> : never;
type SetContent = WithoutName<PlannedSet>;
