/**
 * The place of our routing rules among those of others: before all of them, or what is marked never comes to
 * ours. Pure.
 * @module
 */
import { RULE_PRIORITY } from "../../constants.ts";
import type { NetworkView } from "./view.ts";

/** After `local`, which has 0: there the kernel delivers to the router itself. */
const FIRST = 1;

/**
 * Chooses the priority of our rules: the usual one, or one less than the first rule of another program. Rules
 * without a priority land before the second one, and their makers count on the order of theirs among
 * themselves (wg-quick); so we go no further to the front than is needed.
 */
export function chooseRulePriority({ firstForeignRule }: Pick<NetworkView, "firstForeignRule">): number {
  return firstForeignRule === undefined
    ? RULE_PRIORITY
    : Math.max(FIRST, Math.min(RULE_PRIORITY, firstForeignRule - 1));
}

/** Warns where rules of others come first in any case. */
export function warnRulePriority({ firstForeignRule }: NetworkView): string[] {
  if (firstForeignRule === undefined || firstForeignRule > FIRST) return [];
  return [
    `a routing rule of another program has the priority ${firstForeignRule}: ours cannot come before it`,
  ];
}
