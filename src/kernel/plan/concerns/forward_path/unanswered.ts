/**
 * Unanswered packets: they were for the proxy, and nobody has taken them, as none runs. Pure.
 * @module
 */
import type { Protocol } from "../../../../config/types.ts";
import type { Contribution } from "../../contribution.ts";
import type { EntryPlace, PlannedRule } from "../../model.ts";
import { TCP, UDP } from "../../phrases.ts";
import type { Condition } from "../../rules/condition.ts";
import type { Effect } from "../../rules/effect.ts";
import { type Scope, watches } from "../../scope.ts";

/** Plans the chain for what clients send; and for what the router itself sends. */
export function planUnanswered(scope: Scope): Contribution {
  const chain = (name: string, place: EntryPlace) => ({
    name,
    place,
    rules: planEnds(scope, place === "router-unanswered"),
    reason: "What still asks here, no proxy has taken",
  });
  return {
    chains: [
      chain("unanswered", "unanswered"),
      ...(scope.ownTraffic ? [chain("router_unanswered", "router-unanswered")] : []),
    ],
  };
}

function planEnds(scope: Scope, isRouter: boolean): PlannedRule[] {
  const { protocols, marks } = scope;
  const ends = planEnd(scope, marks.asks, protocols, { kind: "forward", counted: false });
  if (isRouter || !watches(scope)) return ends;
  // These ask as well, and have a bit more.
  return [...planEnd(scope, marks.watch, ["tcp"], { kind: "forward-unwatched" }), ...ends];
}

function planEnd(
  { onFailure }: Scope,
  mask: number,
  protocols: readonly Protocol[],
  forward: Effect,
): PlannedRule[] {
  const asks: Condition = { kind: "mark-bits", mask, negate: false };
  const reason = `intercept.on-failure: ${onFailure}`;
  switch (onFailure) {
    case "open":
      return [{ conditions: [asks], effect: forward, reason }];
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
