/**
 * Routing rules of others that come before those of an install: what they lead elsewhere never comes to the
 * proxy. Pure.
 * @module
 */
import { RULE_PRIORITY } from "../../constants.ts";
import { Marks } from "../../marks.ts";
import { isNarrow } from "../../netlink/route/rule_selectors.ts";
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import { describeProtocol, describeRule, type RoutingFacts } from "../machine/routing.ts";
import { takes, takesAway } from "../routing/before_ours.ts";
import { overlaps, type Situation } from "../situation.ts";

/** The check. */
export const rulesBefore: Check<RoutingFacts> = {
  id: "rules-before",
  read: ({ routing }) => routing(),
  judge: judgeRulesBefore,
};

/** Makes a finding for each rule that has nothing to do with our mark and comes first all the same. */
export function judgeRulesBefore(facts: RoutingFacts, situation: Situation): Finding[] {
  const id = "rules-before";
  const apart = situation.admission.inForce === "forward-path";
  const { intercepted } = new Marks(situation.config.kernel.mark, { apart });
  const findings = situation.families.flatMap((family) => {
    const ours = facts.ours.filter((rule) => rule.family === family).map(({ priority }) => priority);
    const first = ours.length === 0 ? RULE_PRIORITY : Math.min(...ours);
    return facts.rules.flatMap((rule) => {
      // One that asks for our mark has a finding already; the first of all leads to the table `local`.
      const ofMark = rule.mask !== 0 && (rule.inverted === true || overlaps(rule, intercepted));
      const asksElse = rule.mask !== 0 && !overlaps(rule, intercepted) && rule.inverted !== true;
      if (rule.family !== family || rule.priority >= first || rule.priority === 0 || asksElse) return [];
      if (ofMark && rule.inverted !== true || !takes(rule, situation)) return [];
      const away = takesAway(rule, facts, first);
      if (away === undefined) return [];
      const some = isNarrow(rule) || rule.suppressPrefixLength !== undefined ||
        rule.suppressInterfaceGroup !== undefined;
      const what = `the routing rule ${describeRule(rule)}`;
      if (ours.length === 0) return [works(id, what, "an install goes before it")];
      return [warning(id, {
        what,
        blocks: !some,
        cause: `It comes before the rules of the install and ${away}${
          some ? ", as far as they come under it" : ""
        }; ${describeProtocol(rule.protocol)}`,
        remedy: '"tproxy install" puts its own in front again, and so does "tproxy run" at once',
      })];
    });
  });
  return findings.length > 0 ? findings : [works(id, "no routing rule of others comes before ours")];
}
