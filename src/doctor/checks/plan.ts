/**
 * The plan of an install with this config: an obstacle, warnings, or what it would intercept. Pure.
 * @module
 */
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import type { Situation } from "../situation.ts";

/** The check; the situation has its facts. */
export const plan: Check<void> = {
  id: "plan",
  read: () => {},
  judge: (_facts, situation) => judgePlan(situation),
};

/** Judges the plan. */
function judgePlan({ planned: { plan, obstacle }, lan, families }: Situation): Finding[] {
  const id = "plan";
  if (plan === undefined || obstacle !== undefined) {
    const { operation, object, reason, hint } = obstacle!;
    const cause = `Cannot ${operation} "${object}": ${reason}`;
    return [warning(id, { what: "an install with this config", blocks: true, cause, remedy: hint })];
  }
  const what = `an install would intercept ${families.join(" and ")} on ${lan.join(", ")}`;
  if (plan.warnings.length === 0) return [works(id, what)];
  return plan.warnings.map((cause) =>
    warning(id, { what, cause, remedy: "See intercept.interfaces and intercept.families in the config" })
  );
}
