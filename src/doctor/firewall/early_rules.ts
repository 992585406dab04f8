/**
 * Findings of rules of others that are in the way of flows taken early, and do no harm in the forward path.
 * Pure.
 * @module
 */
import { type Finding, warning, works } from "../finding.ts";
import type { Situation } from "../situation.ts";
import { describeChain, describeOwner } from "./firewall.ts";
import { describeRule } from "./judge_chain.ts";
import type { FoundRule } from "./subjects.ts";

/** The words of such a check. */
export interface EarlyRuleSubject {
  readonly id: string;
  /** The finding where there is no such rule. */
  readonly none: string;
  /** The reason why one does no harm in the forward path. */
  readonly harmless: string;
  /** The harm that it does early. */
  readonly cause: string;
  readonly remedy: string;
  readonly blocks?: boolean;
}

/** Makes a finding for each rule, or one that says that there is none. */
export function judgeEarlyRules(
  found: readonly FoundRule[],
  { id, none, harmless, cause, remedy, blocks = false }: EarlyRuleSubject,
  { admission }: Situation,
): Finding[] {
  if (found.length === 0) return [works(id, none)];
  return found.map(({ of, rule }) => {
    const what = `${describeRule(of, rule)}, ${describeChain(of)}`;
    if (admission.inForce === "forward-path") return works(id, what, harmless);
    return warning(id, { what, blocks, cause: `${cause}${describeOwner(of)}`, remedy });
  });
}
