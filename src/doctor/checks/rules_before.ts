/**
 * Routing rules of others that come before those of an install: what they lead elsewhere never comes to the
 * proxy. Pure.
 * @module
 */
import { RULE_PRIORITY } from "../../constants.ts";
import type { RoutingRule } from "../../netlink/route/rule.ts";
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import { describeRule, type RoutingFacts } from "../machine/routing.ts";
import {
  comesFirst,
  describeAway,
  isForSome,
  isInstalled,
  placeOfOurs,
  takes,
  takesAway,
} from "../routing/before_ours.ts";
import type { Situation } from "../situation.ts";

/** The check. */
export const rulesBefore: Check<RoutingFacts> = {
  id: "rules-before",
  ofBrought: true,
  read: ({ routing }) => routing(),
  judge: judgeRulesBefore,
};

/** Makes a finding for each rule that has nothing to do with our mark and comes first all the same. */
export function judgeRulesBefore(facts: RoutingFacts, situation: Situation): Finding[] {
  const id = "rules-before";
  const findings = situation.families.flatMap((family) => {
    const installed = isInstalled(family, facts);
    const first = placeOfOurs(family, facts);
    const atFront = (rule: RoutingRule) =>
      installed ? comesFirst(rule, facts) : rule.priority < RULE_PRIORITY;
    return facts.rules.flatMap((rule) => {
      // One that asks for our mark has a finding already; the first of all leads to the table `local`.
      const ofMark = rule.mask !== 0 && rule.inverted !== true;
      if (rule.family !== family || !atFront(rule) || rule.priority === 0 || ofMark) return [];
      if (!takes(rule, situation)) return [];
      const away = takesAway(rule, facts, first);
      if (away === undefined) return [];
      const what = `the routing rule ${describeRule(rule)}`;
      if (!comesFirst(rule, facts)) return [works(id, what, "an install goes before it")];
      return [warning(id, {
        what,
        blocks: !isForSome(rule),
        cause: describeAway(rule, away),
        remedy: installed
          ? '"tproxy install" puts its own in front again, and so does "tproxy run" at once'
          : `Give it a higher priority than ${rule.priority}: ours must come before it`,
      })];
    });
  });
  return findings.length > 0 ? findings : [works(id, "no routing rule of others comes before ours")];
}
