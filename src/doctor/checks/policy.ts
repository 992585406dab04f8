/**
 * Rules and upstreams of the config that are valid, and hardly meant so. Pure.
 * @module
 */
import { adviseOn } from "../../policy/advice/advice.ts";
import type { Check } from "../check.ts";
import { type Finding, warning } from "../finding.ts";
import type { Situation } from "../situation.ts";

/** The check; the situation has its facts. */
export const policy: Check<void> = {
  id: "policy",
  read: () => {},
  judge: (_facts, { config }) => judgePolicy(config),
};

/** Makes a finding of each remark that `tproxy check` would make. */
function judgePolicy(config: Situation["config"]): Finding[] {
  return adviseOn(config).map(({ text }) =>
    warning("policy", {
      what: "rules and upstreams of the config",
      cause: text,
      remedy: 'Change the config; "tproxy check" names the line',
    })
  );
}
