/**
 * The rules of flows of UDP that are watched. Their client names a name in the first datagrams, so all are
 * held until it is known: at the end of the forward path, where the router has allowed and translated them.
 * Conntrack forgets a flow of which nothing has left. The worker tells it of the flow, and sends on what it
 * holds; from then on the kernel alone forwards the flow. Pure.
 * @module
 */
import { FLOW_LABEL, QUESTION_PREFIX, watchDatagramGroup } from "../../../constants.ts";
import type { Family } from "../../../net/ip.ts";
import type { Contribution, OpenChain } from "../contribution.ts";
import type { PlannedRule } from "../model.ts";
import { UDP } from "../phrases.ts";
import { type Effect, goTo, LEAVE } from "../rules/effect.ts";
import type { Scope } from "../scope.ts";
import { watches } from "../scope.ts";
import type { LiveOptions } from "./options.ts";
import { eachWorker, PASS_HELPED } from "./questions.ts";
import { watchingSet } from "./watch.ts";

const DATAGRAM_CHAIN = "datagrams";
const UNTRACKED_CHAIN = "datagrams_untracked";

/** Plans the chains; none where no datagrams are watched. */
export function planDatagrams(scope: Scope, { workers }: LiveOptions): Contribution {
  if (!watchesDatagrams(scope)) return {};
  const share = { original: true, protocol: "udp" } as const;
  const group = (worker: number) => watchDatagramGroup(scope.listenerPort, worker);
  const question = (prefix: string) => (worker: number): Effect => ({
    kind: "question",
    prefix,
    group: group(worker),
  });
  return {
    chains: [
      ...scope.families.map((family): OpenChain => ({
        name: translatedChain(family),
        place: "live-step",
        rules: eachWorker(
          workers,
          share,
          (worker) => ({
            kind: "question-twice",
            family,
            protocol: "udp",
            group: group(worker),
            tellsFlowMark: true,
          }),
        ),
        reason: "Two copies, as nothing of the packet may be lost",
      })),
      {
        name: DATAGRAM_CHAIN,
        place: "live-step",
        rules: [
          ...PASS_HELPED,
          ...scope.families.flatMap((family): PlannedRule[] => [{
            conditions: [{ kind: "translated-flow" }, { kind: "family", family }],
            effect: goTo(translatedChain(family)),
            reason: "NAT has changed an address or a port",
          }, {
            conditions: [{ kind: "marked-flow", negate: false }, { kind: "family", family }],
            effect: goTo(translatedChain(family)),
            reason: "Others have marked the flow, and conntrack is about to forget it",
          }]),
          ...eachWorker(workers, share, question(QUESTION_PREFIX.plain)),
        ],
        reason: "Datagrams that come before the name of their flow is known",
      },
      {
        name: UNTRACKED_CHAIN,
        place: "live-step",
        rules: [
          ...PASS_HELPED,
          ...eachWorker(workers, { original: false }, question(QUESTION_PREFIX.untracked)),
        ],
        reason:
          "All datagrams of flows that the administrator keeps out of conntrack: nothing can release them",
      },
    ],
  };
}

function translatedChain(family: Family): string {
  return `datagrams_${family}`;
}

const RELEASED: PlannedRule = {
  conditions: [UDP, { kind: "flow-label", label: FLOW_LABEL.released, negate: false }],
  effect: LEAVE,
  reason: "The kernel forwards it, to the end: also where rules by now ask for the proxy",
};

/** Plans the rules that lead to it, among those of what asks. */
export function askDatagrams(scope: Scope): PlannedRule[] {
  if (!watchesDatagrams(scope)) return [];
  // First what is true of most.
  return [
    RELEASED,
    ...scope.families.flatMap((family): PlannedRule[] => [{
      conditions: [
        { kind: "family", family },
        UDP,
        { kind: "original-flow", family, set: watchingSet(family) },
      ],
      effect: goTo(DATAGRAM_CHAIN),
      reason: "Nothing of it goes on before its name is known",
    }, {
      conditions: [{ kind: "untracked" }, { kind: "family", family }, UDP, {
        kind: "remembered-flow",
        family,
        set: watchingSet(family),
      }],
      effect: goTo(UNTRACKED_CHAIN),
      reason: "What conntrack does not see cannot be released: the worker sends on what it lets go",
    }]),
  ];
}

function watchesDatagrams(scope: Scope): boolean {
  return scope.watchesUdp && watches(scope);
}
