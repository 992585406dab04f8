/**
 * Interfaces in rules: one is compared by name, several are looked up in a set. Pure.
 * @module
 */
import type { PlannedSet, Statement } from "./model.ts";

/** Some interfaces, and the set that several of them need. */
export interface InterfaceGroup {
  readonly set: string;
  /** At least one. */
  readonly names: readonly string[];
}

/** The set, if it is needed. */
export function planInterfaceSet({ set, names }: InterfaceGroup, reason: string): PlannedSet[] {
  return names.length === 1 ? [] : [{ name: set, type: "ifname", elements: names, reason }];
}

/** What comes from them; with `negate` all else. */
export function comesFrom({ set, names }: InterfaceGroup, { negate }: { negate: boolean }): Statement {
  return names.length === 1
    ? { kind: "input-interface-name", name: names[0], negate }
    : { kind: "input-interface", set, negate };
}

/** What leaves through them. */
export function leavesThrough({ set, names }: InterfaceGroup): Statement {
  return names.length === 1
    ? { kind: "output-interface-name", name: names[0] }
    : { kind: "output-interface", set };
}
