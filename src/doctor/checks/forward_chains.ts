/**
 * Firewalls of others at the forward hook. With `admission: forward-path` what they refuse never comes to the
 * proxy; with `early` they are not asked. Pure.
 * @module
 */
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import type { FirewallFacts } from "../machine/firewalls.ts";
import type { FirewallChain } from "../firewall/chain.ts";
import { describeChain } from "../firewall/firewall.ts";
import { rejects } from "../firewall/effects.ts";
import { filtersAt } from "../firewall/findings.ts";
import { type ChainJudgement, judgeChain } from "../firewall/judge_chain.ts";
import { judgePath } from "../firewall/path.ts";
import { reachableRules } from "../firewall/reach.ts";
import type { Situation } from "../situation.ts";

const ID = "forward-chains";

/** The check. */
export const forwardChains: Check<FirewallFacts> = {
  id: ID,
  read: ({ firewalls }) => firewalls(),
  judge: (facts, situation) => facts.obstacle === undefined ? judgeForward(facts, situation) : [],
};

function judgeForward(facts: FirewallFacts, situation: Situation): Finding[] {
  const chains = filtersAt(facts, "forward");
  if (situation.admission.inForce === "early") return judgeEarly(chains, situation);
  const findings = chains.flatMap((chain) => judgePath(chain, "forward", situation));
  if (findings.length > 0) return findings;
  const names = chains.map(describeChain).join(", ");
  return [
    works(ID, names === "" ? "no firewall at the forward hook" : `firewall: ${names} forwards clients`),
  ];
}

/** Says that the chains do not count, where they would refuse something. */
function judgeEarly(chains: readonly FirewallChain[], situation: Situation): Finding[] {
  const refusing = chains.filter((chain) =>
    refusesSomething(chain) && !refusesEverything(judgeChain(chain, "forward", situation))
  );
  if (refusing.length === 0) return [works(ID, "no rule at the forward hook that would not count")];
  return [warning(ID, {
    what: `firewall: ${refusing.map(describeChain).join(", ")}`,
    cause:
      "With intercept.admission: early intercepted flows do not pass it: what it refuses (other networks of " +
      "this router, times, hosts) the proxy may reach for them",
    remedy: situation.config.intercept.admission === "early"
      ? "Set intercept.admission to forward-path"
      : "Use a kernel that can do forward-path, or write rules with block into the config",
  })];
}

/** Tells that nothing is forwarded at all: the proxy is meant to be the only way. */
function refusesEverything(judgement: ChainJudgement | undefined): boolean {
  return judgement !== undefined && judgement.dropped.length === judgement.tried.length;
}

function refusesSomething(of: FirewallChain): boolean {
  return of.chain.base?.policy === "drop" ||
    reachableRules(of).some(({ expressions }) =>
      rejects(expressions) ||
      expressions.some((expression) => expression.kind === "verdict" && expression.verdict.code === "drop")
    );
}
