/**
 * The chain of `mangle` for packets that `raw` has marked. Pure.
 * @module
 */
import type { Protocol } from "../../../config/types.ts";
import { newFlow, onlyFromClients } from "../../plan/phrases.ts";
import { chainName, type SourceRule, writeChains } from "./chain_writer.ts";
import { translateConditions } from "./conditions.ts";
import { chainsAt, type FamilyContext } from "./context.ts";
import { exemptAnswers, planAnswers } from "./flows.ts";
import type { IptablesChain } from "./model.ts";
import { mangleTarget } from "./targets.ts";
import { bits, isRefused, matchOne, RETURN } from "./fragment.ts";

/**
 * Carries out what `raw` has decided, for packets that need a listener; those of connections find their
 * socket by themselves.
 */
export function planSteer(context: FamilyContext): IptablesChain[] {
  const { scope, refuses, delivers, dropsUdp } = context;
  const { marks } = scope;
  // A packet that raw has marked without hiding it from conntrack can be an answer.
  const answers = scope.udp && (refuses || delivers || dropsUdp);
  const { conditions, reason: lanReason } = onlyFromClients(scope);
  const rules: SourceRule[] = [
    { matches: translateConditions(conditions, context) ?? [], target: RETURN, reason: lanReason },
    ...(answers ? exemptAnswers(marks, { drops: dropsUdp }) : []),
    ...(refuses
      ? [{
        matches: [matchOne("match", isRefused(marks))],
        target: "-j ACCEPT",
        reason: "It will be refused: the mark stays as it is",
      }]
      : []),
    {
      matches: [matchOne("match", `-m mark ! --mark ${bits(marks.intercepted)}`)],
      target: RETURN,
      reason: "Not intercepted",
    },
    ...scope.protocols.flatMap((protocol) => steerFlows(protocol, context)),
    { matches: [], target: "-j ACCEPT", reason: "Rules that come after must not change the mark" },
  ];
  const reason = "Packets that raw has marked";
  return [...(answers ? [planAnswers(marks)] : []), ...writeChains({ name: "steer", reason }, rules)];
}

/** Steers new flows to the one listener; where there are several, the rules say again to which. */
function steerFlows(protocol: Protocol, context: FamilyContext): SourceRule[] {
  const target = context.delivers ? askAgain(context) : findListener(protocol, context);
  if (target === null) return [];
  return [{
    matches: translateConditions([newFlow(protocol)], context) ?? [],
    target,
    reason: context.delivers
      ? "To which listener, the rules say again"
      : "New flows, to the listener; where none is, TPROXY drops: raw has asked before",
  }];
}

function askAgain(context: FamilyContext): string | null {
  const [decision] = chainsAt("decision", context);
  return decision === undefined ? null : `-g ${chainName(decision.name)}`;
}

/** Finds the target for the proxy's listener of a protocol; null where the rules give nothing to it. */
function findListener(protocol: Protocol, context: FamilyContext): string | null {
  const rule = context.chains.flatMap(({ rules }) => rules).find(({ effect }) =>
    effect.kind === "proxy" && effect.protocol === protocol && effect.to.address.family === context.family
  );
  return rule === undefined ? null : mangleTarget(rule.effect, context);
}
