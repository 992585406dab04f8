/**
 * Parts of what the proxy sends that nobody else may change: addresses, by NAT that is for what the router
 * itself sends, and routes, by marks that are. Pure.
 * @module
 */
import { DIAL_PRIORITY } from "../../../constants.ts";
import type { Contribution, OpenChain } from "../contribution.ts";
import type { EntryPlace, PlannedRule } from "../model.ts";
import { UDP } from "../phrases.ts";
import type { Condition } from "../rules/condition.ts";
import { goTo } from "../rules/effect.ts";
import type { Scope } from "../scope.ts";
import { askingSet } from "./memory.ts";
import type { LiveOptions } from "./options.ts";

const BARE_SYN: Condition = { kind: "bare-syn" };
const TRANSLATED: Condition = { kind: "priority", priority: DIAL_PRIORITY.translated };
const DIALLED: readonly Condition[] = [{ kind: "priority", priority: DIAL_PRIORITY.own }, TRANSLATED];

/** Plans the chains. */
export function planKept(scope: Scope, { accepting }: LiveOptions): Contribution {
  const { clientZone, families, marks, tcp, udp } = scope;
  const ofProxy: Condition = { kind: "zone", zone: clientZone };
  const keep = (
    name: string,
    place: EntryPlace,
    { side, dialled }: { side: "source" | "destination"; dialled: readonly Condition[] },
  ): OpenChain => ({
    name,
    place,
    rules: [ofProxy, ...dialled].flatMap((flow) =>
      families.map((family): PlannedRule => ({
        conditions: [flow, { kind: "family", family }],
        effect: { kind: "keep-address", family, side },
        reason: flow === ofProxy
          ? "NAT to the address that it has: the first rule that says something wins"
          : "The same of what is dialled: the router has translated it where it would have been forwarded",
      }))
    ),
    reason: "What the proxy sends keeps its addresses, whatever NAT others have for what the router sends",
  });
  // A datagram that nobody asked for begins a flow towards the client: its tuple has not asked. So does a
  // segment of a connection that conntrack has forgotten: it is no bare SYN.
  const injected: Condition[][] = [
    ...(tcp ? [[BARE_SYN]] : []),
    ...(udp && accepting
      ? families.map((family): Condition[] => [
        { kind: "family", family },
        UDP,
        { kind: "remembered-flow", family, set: askingSet(family) },
      ])
      : []),
  ];
  return {
    chains: [
      keep("keep_incoming", "keep-incoming", { side: "destination", dialled: [] }),
      keep("keep_outgoing", "keep-outgoing", { side: "destination", dialled: DIALLED }),
      keep("keep_source", "keep-source", { side: "source", dialled: [TRANSLATED] }),
      {
        name: "kept_route",
        place: "live-step",
        rules: injected.map((flow): PlannedRule => ({
          conditions: [...flow, { kind: "mark-bits", mask: marks.router, negate: true }],
          effect: { kind: "loop-back", noted: false },
          reason: "A first packet on its way to the listener has lost its mark",
        })),
        reason: "First packets that are sent once more",
      },
      {
        name: "keep_route",
        place: "keep-route",
        rules: [
          {
            conditions: [ofProxy, { kind: "original-direction" }],
            effect: goTo("kept_route"),
            reason: "From the client's side, so sent once more",
          },
          {
            conditions: [ofProxy, { kind: "reply-direction" }, { kind: "marked" }],
            effect: { kind: "unmark" },
            reason: "Somebody has marked what goes to a client, as if the router had sent it",
          },
          ...DIALLED.map((dialled): PlannedRule => ({
            conditions: [dialled],
            effect: { kind: "restore-mark" },
            reason: "What is dialled has the mark that the router gave it where it would have been forwarded",
          })),
        ],
        reason: "What the proxy sends keeps its route, whatever marks others have for what the router sends",
      },
    ],
  };
}
