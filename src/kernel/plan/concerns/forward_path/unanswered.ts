/**
 * Unanswered packets: they were for the proxy, and nobody has taken them, as none runs. Pure.
 * @module
 */
import type { Contribution } from "../../contribution.ts";
import type { EntryPlace, PlannedRule } from "../../model.ts";
import { TCP, UDP } from "../../phrases.ts";
import type { Condition } from "../../rules/condition.ts";
import type { Scope } from "../../scope.ts";

/** Plans the chain for what clients send; and for what the router itself sends. */
export function planUnanswered(scope: Scope): Contribution {
  const chain = (name: string, place: EntryPlace) => ({
    name,
    place,
    rules: planEnds(scope),
    reason: "What still asks here, no proxy has taken",
  });
  return {
    chains: [
      chain("unanswered", "unanswered"),
      ...(scope.ownTraffic ? [chain("router_unanswered", "router-unanswered")] : []),
    ],
  };
}

function planEnds({ onFailure, protocols, marks }: Scope): PlannedRule[] {
  const asks: Condition = { kind: "mark-bits", mask: marks.asks, negate: false };
  const reason = `intercept.on-failure: ${onFailure}`;
  switch (onFailure) {
    case "open":
      return [{ conditions: [asks], effect: { kind: "forward", counted: false }, reason }];
    case "drop":
      return [{ conditions: [asks], effect: { kind: "drop", protocols }, reason }];
    case "reset":
      return protocols.map((protocol) => ({
        conditions: [asks, protocol === "tcp" ? TCP : UDP],
        effect: { kind: "refuse", protocol },
        reason,
      }));
    default:
      return onFailure satisfies never;
  }
}
