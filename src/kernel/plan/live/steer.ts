/**
 * The chain `steer`: what the decision has left asking goes to the listener, or further on its way, to ask
 * at its end. Pure.
 * @module
 */
import type { Contribution, OpenChain } from "../contribution.ts";
import { fromLoopback, listenerAt, onlyFromClients, TCP, UDP } from "../phrases.ts";
import type { PlannedRule } from "../model.ts";
import { goTo } from "../rules/effect.ts";
import { comesFrom } from "../rules/interface_match.ts";
import { type Scope, watches } from "../scope.ts";
import { askingSet, insistingSet, knownSet } from "./memory.ts";
import { forwardToNamed } from "../concerns/named_upstreams.ts";
import type { LiveOptions } from "./options.ts";
import { INJECTED_CHAIN, planInjected } from "./refusals.ts";
import { steerWatched } from "./watch.ts";

/** TCP options whose connections no proxy carries as they are, by kind. RFC 2385, RFC 5925, RFC 8684. */
export const UNRELAYED = {
  "tcp-md5": { option: 19, reason: "TCP MD5 signatures, as of BGP: no proxy can carry them" },
  "tcp-ao": { option: 29, reason: "TCP authentication, its successor" },
  mptcp: { option: 30, reason: "intercept.mptcp: forward; a relay has one path" },
} as const;
/** The chain that forwards, and counts, such connections. */
export const ASKS_CHAIN = "asks";
const INSISTS_CHAIN = "insists";

/** Plans the chain, and those that it leads to. */
export function planSteer(scope: Scope, options: LiveOptions): Contribution {
  const { accepting } = options;
  const { brings } = scope;
  if (!brings && !watches(scope)) return {};
  const insists = accepting && scope.insisting.length > 0;
  return {
    chains: [
      ...(brings ? [planInjected(scope)] : []),
      {
        name: ASKS_CHAIN,
        place: "live-step",
        rules: [
          onlyFromClients(scope),
          ...(scope.udp && brings ? planKnown(scope) : []),
          ...(accepting ? [...forwardToNamed(scope, options), ...planAsking(scope)] : []),
        ],
        reason: "First packets, and every datagram",
      },
      ...(insists ? [planInsists(scope)] : []),
      {
        name: "steer",
        place: "steer",
        rules: [
          ...(insists
            ? [{
              conditions: [{ kind: "mark-bits", mask: scope.marks.insists, negate: false } as const],
              effect: goTo(INSISTS_CHAIN),
              reason: "A rule names its destination",
            }]
            : []),
          {
            conditions: [{ kind: "mark-bits", mask: scope.marks.asks, negate: false }],
            effect: goTo(ASKS_CHAIN),
            reason: "All others know their way",
          },
          ...(brings
            ? [{
              conditions: [
                fromLoopback({ negate: false }),
                { kind: "zone", zone: scope.clientZone } as const,
              ],
              effect: goTo(INJECTED_CHAIN),
              reason: "First packets that the proxy has held, when their servers have answered",
            }]
            : []),
        ],
        reason: "What asks for the proxy, right behind divert",
      },
    ],
  };
}

/** Remembers flows that ask from client to client too; from here on their packets are as all that ask. */
function planInsists(scope: Scope): OpenChain {
  return {
    name: INSISTS_CHAIN,
    place: "live-step",
    rules: [
      ...(scope.udp ? planKnown(scope) : []),
      ...scope.families.map((family): PlannedRule => ({
        conditions: [{ kind: "family", family }, { kind: "protocol", protocols: scope.protocols }],
        effect: { kind: "remember", family, set: insistingSet(family), answer: true },
        reason: "Where it leaves, the mark may have changed",
      })),
      { conditions: [], effect: { kind: "insist-no-more" }, reason: "The mark is that of all that asks" },
      { conditions: [], effect: goTo(ASKS_CHAIN), reason: "It goes on like them" },
    ],
    reason: "First packets that ask from client to client too",
  };
}

function planKnown(scope: Scope): PlannedRule[] {
  const { families, bridged, clientZone, listenerPort } = scope;
  // A packet of such a bridge loses the socket that a rule gives it.
  const elsewhere = bridged === null ? [] : [comesFrom(bridged, { negate: true })];
  return families.map((family) => ({
    conditions: [
      ...elsewhere,
      { kind: "family", family },
      UDP,
      { kind: "remembered-flow", family, set: knownSet(family) },
    ],
    effect: { kind: "listener", zone: clientZone, to: listenerAt(family, listenerPort) },
    reason: "Further datagrams of a flow that the proxy relays",
  }));
}

function planAsking(scope: Scope): PlannedRule[] {
  if (!scope.brings) return steerWatched(scope);
  const { families, protocols, tcp } = scope;
  const { mptcp, ...signed } = UNRELAYED;
  const unrelayed = [...Object.values(signed), ...(scope.mptcp === "forward" ? [mptcp] : [])]
    .map(({ option, reason }): PlannedRule => ({
      conditions: [TCP, { kind: "tcp-option", option }],
      effect: { kind: "forward", counted: true },
      reason,
    }));
  const asking = families.map((family): PlannedRule => ({
    conditions: [{ kind: "family", family }, { kind: "protocol", protocols }],
    effect: { kind: "begin-question", family, set: askingSet(family) },
    reason: "On its way it is a packet as any other. Where there is no more room, it goes on asking here",
  }));
  return [...steerWatched(scope), ...(tcp ? unrelayed : []), ...asking];
}
