/**
 * The generation of rules that holds, as if the other one and the gate between them were not there. Pure.
 * @module
 */
import type { InstalledTable } from "../state/state.ts";
import { isGate, isOnTrial, plainExpressions, plainName, TRIAL_SET } from "./generations.ts";

/** Gives the table as it would be without a trial; undefined: nothing of it holds. */
export function tableInForce(installed: InstalledTable | undefined): InstalledTable | undefined {
  const gate = installed?.sets.find(({ name }) => name === TRIAL_SET);
  if (installed === undefined || gate === undefined) return installed;
  const onTrial = gate.elements.length > 0;
  const holds = (name: string) => isOnTrial(name) === onTrial && name !== TRIAL_SET;
  const chains = installed.chains.filter(({ name }) => holds(name));
  if (chains.length === 0) return undefined;
  const rules = installed.rules.filter(({ chain, expressions }) => holds(chain) && !isGate(expressions));
  // Anonymous sets belong to the rules of either.
  const sets = installed.sets.filter(({ name, flags }) => flags?.includes("anonymous") || holds(name));
  return {
    table: installed.table,
    chains: chains.map((chain) => ({ ...chain, name: plainName(chain.name) })),
    sets: sets.map((set) => ({ ...set, name: plainName(set.name) })),
    rules: rules.map((rule) => ({
      ...rule,
      chain: plainName(rule.chain),
      expressions: plainExpressions(rule.expressions),
    })),
  };
}
