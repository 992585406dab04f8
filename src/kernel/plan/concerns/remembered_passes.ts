/**
 * Remembered passes: UDP that the rules have let pass is known for a while. A look into a long list of
 * networks costs the more the longer the list, and UDP has no packet that begins a flow. Pure.
 * @module
 */
import type { Family } from "../../../net/ip.ts";
import type { Contribution } from "../contribution.ts";
import { PASS } from "../rules/effect.ts";
import { ofFlowIn, planFlowSets } from "./flow_set.ts";
import type { PlannedRule } from "../model.ts";
import { UDP } from "../phrases.ts";
import type { Scope } from "../scope.ts";

/** The chain of what passes, where flows are remembered. */
export const PASSES_CHAIN = "bypass";
/** After these, the rules are asked again. */
const REMEMBERED_SECONDS = 60;

function setName(family: Family): string {
  return `bypassed_${family}`;
}

/** Plans the sets, the chain that fills them, and the rule that asks them before UDP meets the rules. */
export function planRememberedPasses({ families, remembersPasses }: Scope): Contribution {
  if (!remembersPasses) return {};
  const remember = families.map((family): PlannedRule => ({
    conditions: [{ kind: "family", family }, UDP],
    effect: { kind: "remember", family, set: setName(family), answer: true },
    reason: "The next datagrams of the flow do not ask the lists",
  }));
  return {
    sets: planFlowSets(families, {
      nameOf: setName,
      timeoutSeconds: REMEMBERED_SECONDS,
      reason: "UDP that the rules have let pass",
    }),
    chains: [{
      name: PASSES_CHAIN,
      place: "end",
      rules: [...remember, { conditions: [], effect: PASS, reason: "As if there were no proxy" }],
      reason: "New flows that pass",
    }],
    at: {
      "remembered passes": families.map((family) => ({
        conditions: ofFlowIn(setName(family), family),
        effect: PASS,
        reason: "Flows that have passed the rules a while ago",
      })),
    },
  };
}
