/**
 * Sets in which rules remember flows. Pure.
 * @module
 */
import type { Family } from "../../../net/ip.ts";
import { UDP } from "../phrases.ts";
import type { Condition } from "../rules/condition.ts";
import type { PlannedSet } from "../rules/set.ts";

/** A flow that finds no place is treated as if it were not remembered. */
export const MAX_FLOWS = 65536;

/** A kind of remembered flows: its name, and how long they are remembered. */
export interface FlowSetOptions {
  /** The name of a family's set. */
  readonly nameOf: (family: Family) => string;
  readonly timeoutSeconds: number;
  /** The most flows; default: {@linkcode MAX_FLOWS}. */
  readonly size?: number;
  /** The fact that is held for each, where it is a map. */
  readonly values?: "mark";
  readonly reason: string;
}

/** Plans a set for each family. */
export function planFlowSets(
  families: readonly Family[],
  { nameOf, timeoutSeconds, size = MAX_FLOWS, values, reason }: FlowSetOptions,
): PlannedSet[] {
  return families.map((family) => ({
    name: nameOf(family),
    type: `${family}_flow`,
    elements: [],
    timeoutSeconds,
    size,
    ...(values === undefined ? {} : { values }),
    reason,
  }));
}

/** Asks whether a datagram's flow is in the set of its family. */
export function ofFlowIn(set: string, family: Family): Condition[] {
  return [{ kind: "family", family }, UDP, { kind: "remembered-flow", family, set }];
}
