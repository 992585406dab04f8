/**
 * Rules at the forward hook that count connections which are there (connlimit, `ct count`). The kernel looks
 * for them in conntrack as clients have addressed them; with NAT, what the proxy has dialled is another flow
 * there. Pure.
 * @module
 */
import type { NftExpression } from "../../netlink/nft/expression.ts";
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import { masquerades, redirects } from "../firewall/effects.ts";
import { describeChain, describeOwner } from "../firewall/firewall.ts";
import { describeRule } from "../firewall/judge_chain.ts";
import { objectType } from "../firewall/later_packets.ts";
import { findAny, findForClients } from "../firewall/subjects.ts";
import type { FirewallFacts } from "../machine/firewalls.ts";
import { readXtablesPart } from "../packet/xtables_part.ts";
import type { Situation } from "../situation.ts";

const ID = "counted-connections";
// linux/netfilter/nf_tables.h: NFT_OBJECT_CONNLIMIT
const CONNLIMIT_OBJECT = 5;

/** The check. */
export const countedConnections: Check<FirewallFacts> = {
  id: ID,
  ofBrought: true,
  read: ({ firewalls }) => firewalls(),
  judge: judgeCountedConnections,
};

/** Makes a finding for each rule, where others translate addresses. */
export function judgeCountedConnections(facts: FirewallFacts, situation: Situation): Finding[] {
  const found = findForClients(facts, { hooks: ["forward"], does: countsConnections }, situation);
  if (found.length === 0) return [works(ID, "no rule at the forward hook counts connections")];
  const nat = findAny(facts, {
    hooks: ["prerouting", "postrouting"],
    does: (expressions) => masquerades(expressions) || redirects(expressions),
  });
  return found.map(({ of, rule }) => {
    const what = `${describeRule(of, rule)}, ${describeChain(of)}`;
    if (nat.length === 0 && situation.admission.inForce === "forward-path") {
      return works(ID, what, "nobody translates clients' addresses: their connections are counted");
    }
    return warning(ID, {
      what,
      cause: nat.length === 0
        ? `Taken early, no connection that the proxy relays comes to it${describeOwner(of)}`
        : `With NAT it does not count connections that the proxy relays: conntrack has them as the router's own${
          describeOwner(of)
        }`,
      remedy:
        'Let the flows that it is meant for pass by a rule of the config: "rules: [{ ports: […], action: bypass }]"; ' +
        "they are forwarded, and counted",
    });
  });
}

function countsConnections(expressions: readonly NftExpression[]): boolean {
  return expressions.some((expression) => {
    if (expression.kind !== "unknown") return false;
    if (expression.name === "objref") return objectType(expression) === CONNLIMIT_OBJECT;
    return expression.name === "connlimit" || readXtablesPart(expression, "match")?.name === "connlimit";
  });
}
