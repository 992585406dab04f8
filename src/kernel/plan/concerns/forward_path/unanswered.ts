/**
 * Unanswered packets: they were for the proxy, and nobody has taken them, as none runs. Pure.
 * @module
 */
import type { Protocol } from "../../../../config/types.ts";
import { FLOW_LABEL } from "../../../../constants.ts";
import type { Contribution, OpenChain } from "../../contribution.ts";
import type { EntryPlace, PlannedRule } from "../../model.ts";
import { TCP, UDP } from "../../phrases.ts";
import type { Condition } from "../../rules/condition.ts";
import { type Effect, LEAVE } from "../../rules/effect.ts";
import { type Scope, watchedProtocols, watches } from "../../scope.ts";

/** Plans the chain for what clients send; and for what the router itself sends. */
export function planUnanswered(scope: Scope): Contribution {
  // Nothing asks.
  if (!scope.brings && !watches(scope)) return {};
  const chain = (name: string, place: EntryPlace) => ({
    name,
    place,
    rules: planEnds(scope, place === "router-unanswered"),
    reason: "What still asks here, no proxy has taken",
  });
  return {
    chains: [
      chain("unanswered", "unanswered"),
      ...(survivesUnwatched(scope) ? [planUnwatched(scope)] : []),
      ...(scope.ownTraffic ? [chain("router_unanswered", "router-unanswered")] : []),
    ],
  };
}

function planEnds(scope: Scope, isRouter: boolean): PlannedRule[] {
  const { protocols, marks } = scope;
  const ends = [
    ...(isRouter ? [] : insistNoMore(scope)),
    ...planEnd(scope, marks.asks, protocols, { kind: "forward", counted: false }),
  ];
  if (isRouter || !watches(scope)) return ends;
  // These ask as well, and have a bit more.
  const unwatched = planEnd(scope, marks.watch, watchedProtocols(scope), { kind: "forward-unwatched" });
  return [
    ...(survivesUnwatched(scope) ? [leaveDatagrams(scope)] : []),
    ...unwatched,
    ...(scope.brings ? ends : []),
  ];
}

function insistNoMore({ insisting, marks }: Scope): PlannedRule[] {
  if (insisting.length === 0) return [];
  return [{
    conditions: [{ kind: "mark-bits", mask: marks.insists, negate: false }],
    effect: { kind: "insist-no-more" },
    reason: "A bit more, of flows that ask from client to client too",
  }];
}

/** Tells whether more has to be known of a flow than its packet says: of one of UDP every datagram asks. */
function survivesUnwatched(scope: Scope): boolean {
  return scope.watchesUdp && watches(scope) && scope.onFailure !== "open";
}

function leaveDatagrams({ marks }: Scope): PlannedRule {
  return {
    conditions: [{ kind: "mark-bits", mask: marks.watch, negate: false }, UDP],
    effect: LEAVE,
    reason: "Conntrack has to say whether the flow has begun already",
  };
}

/** Plans the chain for datagrams of flows that are watched, behind conntrack. */
function planUnwatched(scope: Scope): OpenChain {
  const { marks } = scope;
  const forward: Effect = { kind: "forward-unwatched" };
  return {
    name: "unwatched",
    place: "tracked",
    rules: [
      {
        conditions: [
          { kind: "mark-bits", mask: marks.watch, negate: false },
          { kind: "flow-label", label: FLOW_LABEL.released, negate: false },
        ],
        effect: forward,
        reason: "A name has let the flow go while a proxy ran",
      },
      ...planEnd(scope, marks.watch, ["udp"], forward),
    ],
    reason: "Flows of UDP that nobody watches, as no proxy runs",
  };
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
