/**
 * Parts of what the proxy sends that nobody else may change: addresses, by NAT that is for what the router
 * itself sends, and routes, by marks that are. Where nobody else has such rules there is nothing to keep, and
 * every packet is spared the chains. Pure.
 * @module
 */
import { RESENT_PRIORITY } from "../../../constants.ts";
import { DIALLED, DIALLED_TRANSLATED } from "../concerns/forward_path/zoned.ts";
import type { Contribution, OpenChain } from "../contribution.ts";
import type { EntryPlace, PlannedRule } from "../model.ts";
import type { Condition } from "../rules/condition.ts";
import { type Scope, watches } from "../scope.ts";
import type { LiveOptions } from "./options.ts";

const DIALLS: readonly Condition[] = [DIALLED, DIALLED_TRANSLATED];

/** Held packets of watched flows that are sent once more. */
const RESENT: readonly Condition[] = [RESENT_PRIORITY.prefix, RESENT_PRIORITY.released].map((priority) => ({
  kind: "priority",
  priority,
}));

/** Plans the chains. */
export function planKept(scope: Scope, options: LiveOptions): Contribution {
  const brought = scope.brings ? planBrought(scope, options) : [];
  return { chains: [...brought, ...planRoute(scope, options), ...planUnpinned(scope, options)] };
}

/** Plans those of clients that are brought to a socket of this machine, and of what is dialled for them. */
function planBrought({ clientZone, families }: Scope, { others }: LiveOptions): OpenChain[] {
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
  return [
    ...(others.incoming
      ? [keep("keep_incoming", "keep-incoming", { side: "destination", dialled: [] })]
      : []),
    ...(others.outgoing
      ? [keep("keep_outgoing", "keep-outgoing", { side: "destination", dialled: DIALLS })]
      : []),
    ...(others.source
      ? [keep("keep_source", "keep-source", { side: "source", dialled: [DIALLED_TRANSLATED] })]
      : []),
  ];
}

function planRoute(scope: Scope, { others }: LiveOptions): OpenChain[] {
  const { brings, clientZone } = scope;
  const sent = [...(brings ? DIALLS : []), ...(watches(scope) ? RESENT : [])];
  if (!others.route || (!brings && sent.length === 0)) return [];
  const ofProxy: Condition = { kind: "zone", zone: clientZone };
  const toClients: PlannedRule[] = [{
    conditions: [ofProxy],
    effect: { kind: "restore-mark" },
    reason: "To a client there is no mark; a first packet that is sent once more has that of its socket",
  }];
  const unmarked: PlannedRule[] = [{
    conditions: [ofProxy, { kind: "marked" }],
    effect: { kind: "unmark" },
    reason: "The answer to a SYN, which has no whole socket yet",
  }];
  return [{
    name: "keep_route",
    place: "keep-route",
    rules: [
      ...(brings ? toClients : []),
      ...sent.map((condition): PlannedRule => ({
        conditions: [condition],
        effect: { kind: "restore-mark" },
        reason:
          "What is sent for a client has the mark that the router gave it where it would have been forwarded",
      })),
      ...(brings ? unmarked : []),
    ],
    reason: "What the proxy sends keeps its route, whatever marks others have for what the router sends",
  }];
}

/**
 * Takes the bit from a packet that a routing rule of our own has led: others may save the mark of a packet as
 * that of its flow, and the flow goes on without us. A queue sends nothing once more.
 */
function planUnpinned(scope: Scope, { holding }: LiveOptions): OpenChain[] {
  const isSent = scope.watchesUdp || holding === "log";
  if (!isSent || !watches(scope) || scope.marks.pin === 0) return [];
  return [{
    name: "unpinned",
    place: "sent-routed",
    rules: RESENT.map((condition) => ({
      conditions: [condition],
      effect: { kind: "unpin" },
      reason: "It has its way; behind all who lead by marks",
    })),
    reason: "Held packets that are sent once more",
  }];
}
