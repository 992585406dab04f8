/**
 * UDP that the rules have let pass, remembered for a while: a look into a long list of networks costs the more the longer the
 * list, and UDP has no packet that begins a flow. Pure.
 * @module
 */
import type { Config } from "../../../config/types.ts";
import type { Family } from "../../../net/ip.ts";
import type { PlannedChain, PlannedRule, PlannedSet, Statement } from "../model.ts";
import type { Policy } from "../rule_matches.ts";
import { planFlowSets } from "../flow_set.ts";
import { ACCEPT, takesUdp, UDP } from "../statements.ts";

/** After these, the rules are asked again. */
const REMEMBERED_SECONDS = 60;
/** With 1,000 a flow is found faster (`scripts/bench --rules`); with none there is nothing to save. */
const MIN_ELEMENTS = 500;
const BYPASS_CHAIN = "bypass";

/** What the rules do, in nf_tables' words. */
export interface BypassedOptions {
  readonly families: readonly Family[];
  readonly policy: Policy;
}

/**
 * Whether flows are remembered: where UDP may be bypassed after a look into long lists. Not where rules ask for more than a flow's
 * addresses and ports: what has another interface or hardware address would pass for a flow that it is not.
 */
function remembersBypassed(config: Config, { rules, sets }: Policy): boolean {
  const concerned = rules.map(({ rule }) => rule).filter(({ protocol }) => protocol !== "tcp");
  const elements = sets.reduce((sum, set) => sum + set.elements.length, 0);
  return takesUdp(config) && elements >= MIN_ELEMENTS &&
    (config.default === "bypass" || concerned.some(({ action }) => action === "bypass")) &&
    concerned.every(({ interfaces, mac }) => interfaces === undefined && mac === undefined);
}

/** What is done with what passes. */
export function bypassStatements(config: Config, policy: Policy): Statement[] {
  return remembersBypassed(config, policy) ? [{ kind: "goto", chain: BYPASS_CHAIN }] : [ACCEPT];
}

function setName(family: Family): string {
  return `bypassed_${family}`;
}

/** The sets of flows. */
export function planBypassedSets(config: Config, { families, policy }: BypassedOptions): PlannedSet[] {
  if (!remembersBypassed(config, policy)) return [];
  return planFlowSets(families, {
    nameOf: setName,
    timeoutSeconds: REMEMBERED_SECONDS,
    reason: "UDP that the rules have let pass",
  });
}

/** The chain of what passes, to which `bypassStatements` lead. */
export function planBypassed(config: Config, { families, policy }: BypassedOptions): PlannedChain[] {
  if (!remembersBypassed(config, policy)) return [];
  const remember = families.map((family): PlannedRule => ({
    statements: [
      { kind: "family", family },
      UDP,
      { kind: "remember-flow", family, set: setName(family), answer: true },
    ],
    reason: "The next datagrams of the flow do not ask the lists",
  }));
  return [{
    name: BYPASS_CHAIN,
    rules: [...remember, { statements: [ACCEPT], reason: "As if there were no proxy" }],
    reason: "New flows that pass",
  }];
}

/** Before UDP meets the rules. */
export function passRemembered(config: Config, { families, policy }: BypassedOptions): PlannedRule[] {
  if (!remembersBypassed(config, policy)) return [];
  return families.map((family) => ({
    statements: [{ kind: "family", family }, UDP, {
      kind: "remembered-flow",
      family,
      set: setName(family),
    }, ACCEPT],
    reason: "Flows that have passed the rules a while ago",
  }));
}
