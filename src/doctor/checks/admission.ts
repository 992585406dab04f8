/**
 * The place at which new flows are taken. Pure.
 * @module
 */
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import type { Situation } from "../situation.ts";

/** The check; the situation has its facts. */
export const admission: Check<void> = {
  id: "admission",
  read: () => {},
  judge: (_facts, situation) => judgeAdmission(situation),
};

/** Makes a finding that says which is in force, and why. */
export function judgeAdmission(
  { admission: { inForce, reason }, watching, config }: Situation,
): Finding[] {
  const id = "admission";
  const what = `intercept.admission: ${inForce}`;
  if (inForce === "forward-path") {
    const also = watching === undefined ? "" : `; ${watching}`;
    return [works(id, what, `new flows pass the router's own rules, routes and NAT first${also}`)];
  }
  if (config.intercept.admission === "early" || reason === "") {
    return [works(id, what, "new flows are taken before the router's own rules")];
  }
  return [warning(id, {
    what: `${what}, where the config has ${config.intercept.admission}`,
    cause:
      `${reason}. New flows are taken before the router's own rules: those of the forward path do not count`,
    remedy: "See the limits of early in the README, or set intercept.admission to early if that is meant",
  })];
}
