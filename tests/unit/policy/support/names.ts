/**
 * Sets of names for tests of the policy: a name is `n` and the numbers of the rules whose sets hold it. So
 * every combination of sets has a name.
 */
import type { Config } from "../../../../src/config/types.ts";
import { buildNameSet } from "../../../../src/names/set.ts";
import { hasNames } from "../../../../src/policy/conditions.ts";
import type { Flow } from "../../../../src/policy/flow.ts";
import type { NameImages } from "../../../../src/policy/name_sets.ts";

/** Every combination of sets that a name may be in; the empty one stands for a name in none. */
export function combinations(config: Config): number[][] {
  const named = config.rules.flatMap((rule, index) => hasNames(rule) ? [index] : []);
  return named.reduce<number[][]>((all, index) => [...all, ...all.map((sets) => [...sets, index])], [[]]);
}

/** One set for each rule with names. */
export function testNameImages(config: Config): NameImages {
  const all = combinations(config);
  const named = config.rules.flatMap((rule, index) => hasNames(rule) ? [index] : []);
  return new Map(named.map((index) => {
    const domains = all.filter((sets) => sets.includes(index)).map(nameIn);
    return [index, buildNameSet({ domains, lists: [] }, Int32Array.of(1, index)).image];
  }));
}

/** The name that these sets hold. */
export function nameIn(sets: readonly number[]): string {
  return `n${sets.join("")}`;
}

/** Tells a flow its name; null: it has none. */
export function putName(flow: Flow, name: string | null): void {
  flow.nameAsked = true;
  flow.nameLength = name === null ? 0 : new TextEncoder().encodeInto(name, flow.nameBytes).written;
}
