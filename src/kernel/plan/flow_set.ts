/**
 * Sets in which rules remember flows of UDP. Pure.
 * @module
 */
import type { Family } from "../../net/ip.ts";
import type { PlannedSet } from "./model.ts";

/** What finds no place is treated as if it were not remembered. */
const MAX_FLOWS = 65536;

/** What a kind of remembered flows is called, and how long they are remembered. */
export interface FlowSetOptions {
  /** The name of a family's set. */
  readonly nameOf: (family: Family) => string;
  readonly timeoutSeconds: number;
  readonly reason: string;
}

/** A set for each family. */
export function planFlowSets(
  families: readonly Family[],
  { nameOf, timeoutSeconds, reason }: FlowSetOptions,
): PlannedSet[] {
  return families.map((family) => ({
    name: nameOf(family),
    type: `${family}_flow`,
    elements: [],
    timeoutSeconds,
    size: MAX_FLOWS,
    reason,
  }));
}
