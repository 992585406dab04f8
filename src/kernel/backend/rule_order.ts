/**
 * The rules of a chain in the kernel against those that are wanted. Their order counts. Pure.
 * @module
 */
import type { ObjectStatus } from "./object_status.ts";

/** The state of an object of ours that the plan knows nothing of. */
export const NOT_WANTED = { state: "foreign", detail: "the config does not ask for it" } as const;

/** A rule of a list. */
export interface ComparedRule {
  /** Its name in the status. */
  readonly name: string;
  /** The same text for all rules that mean the same. */
  readonly canonical: string;
}

/**
 * Walks both lists: looks for the next rule that is wanted further on; counts rules that it skips as foreign.
 */
export function compareRuleOrder(
  wanted: readonly ComparedRule[],
  installed: readonly ComparedRule[],
): ObjectStatus[] {
  const actual = installed.map(({ canonical }) => canonical);
  const statuses: ObjectStatus[] = [];
  let next = 0;
  const skip = (end: number) => {
    for (; next < end; next++) statuses.push({ kind: "rule", name: installed[next].name, ...NOT_WANTED });
  };
  for (const { name, canonical } of wanted) {
    const at = actual.indexOf(canonical, next);
    if (at >= 0) {
      skip(at);
      next++;
    }
    statuses.push({ kind: "rule", name, state: at < 0 ? "missing" : "present" });
  }
  skip(installed.length);
  return statuses;
}
