/**
 * Parts of clients' legs that nobody else may change: their addresses, by NAT that is for what the router
 * sends, and their route, by marks that are. Pure.
 * @module
 */
import type { Contribution, OpenChain } from "../contribution.ts";
import type { EntryPlace, PlannedRule } from "../model.ts";
import { UDP } from "../phrases.ts";
import type { Condition } from "../rules/condition.ts";
import { PASS } from "../rules/effect.ts";
import { leavesThrough } from "../rules/interface_match.ts";
import type { Scope } from "../scope.ts";

/** Plans the chains. */
export function planKept(scope: Scope): Contribution {
  const { clientZone, families } = scope;
  const ofProxy: Condition = { kind: "zone", zone: clientZone };
  const keep = (name: string, place: EntryPlace, side: "source" | "destination"): OpenChain => ({
    name,
    place,
    rules: families.map((family) => ({
      conditions: [ofProxy, { kind: "family", family }],
      effect: { kind: "keep-address", family, side },
      reason: "NAT to the address that it has: the first rule that says something wins",
    })),
    reason: "Clients' legs keep their addresses, whatever NAT others have for what the router sends",
  });
  return {
    chains: [
      keep("keep_incoming", "keep-incoming", "destination"),
      keep("keep_outgoing", "keep-outgoing", "destination"),
      keep("keep_source", "keep-source", "source"),
      {
        name: "keep_route",
        place: "keep-route",
        rules: planRoutes(scope),
        reason: "Clients' legs keep their route, whatever marks others have for what the router sends",
      },
    ],
  };
}

/**
 * Plans the routes. That conntrack has seen a packet of the server first says nothing: it forgets a flow that
 * is silent for long, or all of them where somebody tells it to, and the proxy's next packet begins it anew.
 */
function planRoutes({ clientZone, protocols, marks, lan }: Scope): PlannedRule[] {
  const ofProxy: Condition = { kind: "zone", zone: clientZone };
  const unlike: Condition = { kind: "mark-bits", mask: marks.router, negate: true };
  const loopBack = { kind: "loop-back", noted: false } as const;
  const lost = "A first packet on its way to the listener has lost its mark";
  const unmark = { kind: "unmark" } as const;
  const foreign = "Somebody has marked what goes to a client, as if the router had sent it";
  return protocols.flatMap((protocol): PlannedRule[] =>
    protocol === "tcp"
      ? [
        { conditions: [ofProxy, { kind: "bare-syn" }, unlike], effect: loopBack, reason: lost },
        {
          conditions: [ofProxy, { kind: "no-bare-syn" }, { kind: "marked" }],
          effect: unmark,
          reason: foreign,
        },
      ]
      : [
        {
          conditions: [ofProxy, UDP, leavesThrough(lan), { kind: "marked" }],
          effect: unmark,
          reason: foreign,
        },
        {
          conditions: [ofProxy, UDP, leavesThrough(lan)],
          effect: PASS,
          reason: "An answer; a first packet is on its way to the loopback interface",
        },
        {
          conditions: [ofProxy, UDP, { kind: "original-direction" }, unlike],
          effect: loopBack,
          reason: lost,
        },
        {
          conditions: [ofProxy, UDP, { kind: "reply-direction" }, { kind: "marked" }],
          effect: unmark,
          reason: foreign,
        },
      ]
  );
}
