/**
 * Rules at the forward hook that look at every packet. Of a relayed flow the first alone passes there. Pure.
 * @module
 */
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import { describeChain, describeOwner } from "../firewall/firewall.ts";
import { filtersAt } from "../firewall/findings.ts";
import { describeRule } from "../firewall/judge_chain.ts";
import { findForLater } from "../firewall/later_packets.ts";
import type { FirewallFacts } from "../machine/firewalls.ts";
import type { Situation } from "../situation.ts";

const ID = "later-packets";
/** Rules that are named; some count for each of many hosts. */
const MOST_NAMED = 3;

/** The check. */
export const laterPackets: Check<FirewallFacts> = {
  id: ID,
  ofBrought: true,
  read: ({ firewalls }) => firewalls(),
  judge: judgeLaterPackets,
};

/** Makes a finding for each chain that has such rules. A chain that cannot be read has one of its own. */
export function judgeLaterPackets(facts: FirewallFacts, situation: Situation): Finding[] {
  const early = situation.admission.inForce === "early";
  const found = filtersAt(facts, "forward").flatMap((of): Finding[] => {
    const rules = findForLater(of, situation);
    if (rules.length === 0) return [];
    const named = [...new Set(rules.map((rule) => describeRule(of, rule)))];
    const more = named.length - MOST_NAMED;
    const list = named.slice(0, MOST_NAMED).join(", ") + (more > 0 ? ` and ${more} more` : "");
    const seen = early
      ? "No packet of a flow that the proxy relays passes it, so none meets"
      : "Of a flow that the proxy relays the first packet alone passes it, so no other meets";
    return [warning(ID, {
      what: `firewall: ${describeChain(of)}`,
      cause: `${seen} ${list}${describeOwner(of)}`,
      remedy:
        'Let the flows that this is meant for pass by a rule of the config: "rules: [{ ports: […], action: bypass }]"; ' +
        "they are forwarded, and every packet meets it",
    })];
  });
  return found.length > 0
    ? found
    : [works(ID, "no rule at the forward hook looks at more than first packets")];
}
