/**
 * Interfaces in rules: one is compared by name, several are looked up in a set. Pure.
 * @module
 */
import type { Condition } from "./condition.ts";
import type { PlannedSet } from "./set.ts";

/** A group of interfaces, and the set that several of them need. */
export interface InterfaceGroup {
  /** The name of the set. */
  readonly set: string;
  /** At least one. */
  readonly names: readonly string[];
}

/** Plans the set, if it is needed. */
export function planInterfaceSet({ set, names }: InterfaceGroup, reason: string): PlannedSet[] {
  return names.length === 1 ? [] : [{ name: set, type: "ifname", elements: names, reason }];
}

/** Asks whether the packet comes from one of them; with `negate` from elsewhere. */
export function comesFrom({ set, names }: InterfaceGroup, { negate }: { negate: boolean }): Condition {
  return names.length === 1
    ? { kind: "input-interface-name", name: names[0], negate }
    : { kind: "input-interface", set, negate };
}

/** Asks whether the packet leaves through one of them. */
export function leavesThrough({ set, names }: InterfaceGroup): Condition {
  return names.length === 1
    ? { kind: "output-interface-name", name: names[0] }
    : { kind: "output-interface", set };
}
