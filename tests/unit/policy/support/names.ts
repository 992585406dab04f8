/**
 * Sets of names for tests of the policy: a name is `n` and the numbers of the sets that hold it. So every
 * combination of sets has a name.
 */
import type { Config } from "../../../../src/config/types.ts";
import { hasNames } from "../../../../src/policy/conditions.ts";
import type { Flow } from "../../../../src/policy/flow.ts";
import type { NameImages, NameSet } from "../../../../src/policy/name_set.ts";

/** One set for each rule with names; its memory is its number. */
export function testNameImages(config: Config): NameImages {
  const named = config.rules.flatMap((rule, index) => hasNames(rule) ? [index] : []);
  return new Map(named.map((index) => {
    const image = new SharedArrayBuffer(1);
    new Uint8Array(image)[0] = index;
    return [index, image];
  }));
}

/** The stand-in for the table of names. */
export function openTestNames(image: SharedArrayBuffer): NameSet {
  const [index] = new Uint8Array(image);
  return { has: (name, length) => name.subarray(1, length).includes(0x30 + index) };
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
