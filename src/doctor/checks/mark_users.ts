/**
 * Routing rules of other programs that ask for our mark. Pure.
 * @module
 */
import { hex } from "../../net/hex.ts";
import type { RoutingRule } from "../../netlink/route/rule.ts";
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import { describeProtocol, describeRule, type RoutingFacts } from "../machine/routing.ts";
import {
  comesFirst,
  describeAway,
  isForSome,
  placeOfOurs,
  takes,
  takesAway,
} from "../routing/before_ours.ts";
import { marksOf, overlaps, type Situation } from "../situation.ts";

/** The check. */
export const markUsers: Check<RoutingFacts> = {
  id: "mark-users",
  ofBrought: true,
  read: ({ routing }) => routing(),
  judge: judgeMarkUsers,
};

/** Makes a finding for each rule of another program that asks for our mark. */
export function judgeMarkUsers(facts: RoutingFacts, situation: Situation): Finding[] {
  const { intercepted, router, serverSocket } = marksOf(situation);
  const { routerTraffic } = situation.config.intercept;
  const marks = [
    intercepted,
    ...routerTraffic ? [serverSocket] : [],
    // In the forward path first packets have it, when they come in from the loopback.
    ...routerTraffic || situation.admission.inForce === "forward-path" ? [router] : [],
  ];
  const id = "mark-users";
  const shown = hex(marks.at(-1)!);
  const users = facts.rules.filter((rule) =>
    situation.families.includes(rule.family) && rule.inverted !== true &&
    marks.some((ours) => overlaps(rule, ours))
  );
  if (users.length === 0) return [works(id, `fwmark ${shown}: no other routing rule asks for it`)];
  return users.map((rule) => {
    const away = comesFirst(rule, facts) && takes(rule, situation)
      ? takesAway(rule, facts, placeOfOurs(rule.family, facts))
      : undefined;
    return warning(id, {
      what: `fwmark ${shown}: the routing rule ${describeRule(rule)}`,
      blocks: away !== undefined && !isForSome(rule),
      cause: away !== undefined
        ? describeAway(rule, away)
        : `Another program uses the mark; ${
          describeProtocol(rule.protocol)
        }. What it marks on an intercepted ` +
          "interface is delivered to this machine, and what is intercepted it may take for its own",
      remedy: `Set kernel.mark in the config to a bit that nobody uses, or ${describeRemoval(rule)}`,
    });
  });
}

/** `remove that rule (ip rule del priority 99)` */
function describeRemoval({ family, priority }: RoutingRule): string {
  return `remove that rule (ip ${family === "ipv6" ? "-6 " : ""}rule del priority ${priority})`;
}
