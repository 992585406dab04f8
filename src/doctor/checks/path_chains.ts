/**
 * Firewalls of others where clients' packets come in, and where they leave: what they refuse, or what another
 * proxy takes, never comes to this one. Pure.
 * @module
 */
import { ASK_PRIORITY } from "../../constants.ts";
import type { Check } from "../check.ts";
import type { FirewallChain } from "../firewall/chain.ts";
import { filtersAt } from "../firewall/findings.ts";
import { judgePath, type PathHook } from "../firewall/path.ts";
import { type Finding, works } from "../finding.ts";
import type { FirewallFacts } from "../machine/firewalls.ts";
import type { Situation } from "../situation.ts";

const ID = "path-chains";

/** The check. */
export const pathChains: Check<FirewallFacts> = {
  id: ID,
  read: ({ firewalls }) => firewalls(),
  judge: (facts, situation) => facts.obstacle === undefined ? judgePathChains(facts, situation) : [],
};

/** Makes a finding for each chain that is in the way, or one that says that none is. */
export function judgePathChains(facts: FirewallFacts, situation: Situation): Finding[] {
  const hooks = ["ingress", "prerouting", "postrouting"] as const satisfies readonly PathHook[];
  const findings = hooks.flatMap((hook) =>
    filtersAt(facts, hook).filter(comesBeforeOurs).flatMap((chain) => judgePath(chain, hook, situation))
  );
  return findings.length > 0 ? findings : [works(ID, `no chain at ${hooks.join(" or ")} refuses clients`)];
}

/** Chains behind ours at postrouting see no packet that has asked. */
function comesBeforeOurs({ chain: { base } }: FirewallChain): boolean {
  return base!.hook !== "postrouting" || base!.priority < ASK_PRIORITY;
}
