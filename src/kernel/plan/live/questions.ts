/**
 * The chains `ask` and those that it leads to: at the end of the forward path a first packet has been
 * allowed, routed and translated. The proxy gets a copy, and the packet goes no further. Pure.
 * @module
 */
import {
  QUESTION_PREFIX,
  QUESTION_SHIFT,
  questionBits,
  questionGroup,
  questionShare,
} from "../../../constants.ts";
import type { Protocol } from "../../../config/types.ts";
import type { Family } from "../../../net/ip.ts";
import type { Contribution, OpenChain } from "../contribution.ts";
import { noteMarks } from "../concerns/forward_path/flow_marks.ts";
import type { PlannedRule } from "../model.ts";
import { newFlow, NO_BARE_SYN, onlyFromClients, TCP } from "../phrases.ts";
import type { Condition } from "../rules/condition.ts";
import { type Effect, goTo, PASS } from "../rules/effect.ts";
import { leavesThrough } from "../rules/interface_match.ts";
import type { Scope } from "../scope.ts";
import { askingSet, insistingSet } from "./memory.ts";
import type { LiveOptions } from "./options.ts";

/** The chain that asks. */
export const QUESTION_CHAIN = "question";
const PLAIN_CHAIN = "plain";
const FORM_CHAIN = "form";
const TELLS_CHAIN = "tells";
const ANSWERS_REASON =
  "Its answers would pass for what another client sends, had the dial this client's address";
const TELL: PlannedRule = {
  conditions: [],
  effect: { kind: "tell-client-to-client" },
  reason: "The proxy dials it as the router itself",
};
const CLIENTS_CHAIN = "client_to_client";

/** Plans the chains that `ask` leads to. */
export function planQuestions(scope: Scope, options: LiveOptions): Contribution {
  const { workers } = options;
  const { families, protocols, listenerPort, tcp, inner } = scope;
  const translated = families.flatMap((family) =>
    protocols.map((protocol) => ({ family, protocol, chain: `${FORMS[family]}_${protocol}` }))
  );
  const group = (worker: number) => questionGroup(listenerPort, worker);
  const squeezed = (protocol: Protocol) =>
    protocol === "tcp" ? QUESTION_PREFIX.squeezed : QUESTION_PREFIX.squeezedUdp;
  const asked = [...PASS_HELPED, ...noteMarks(scope, options), ...translated.map(lead), TO_PLAIN];
  const insists = inner !== null && scope.insisting.length > 0;
  return {
    chains: [
      step(
        PLAIN_CHAIN,
        eachWorker(workers, { original: false }, (worker) => ({
          kind: "question",
          prefix: QUESTION_PREFIX.plain,
          group: group(worker),
        })),
        "No NAT: the packet is as the client has sent it",
      ),
      ...translated.map(({ family, protocol, chain }) =>
        family === "ipv4"
          ? step(
            chain,
            [
              { conditions: [], effect: { kind: "squeeze", protocol }, reason: SQUEEZE_REASON },
              ...eachWorker(workers, { original: true, protocol }, (worker) => ({
                kind: "question",
                prefix: squeezed(protocol),
                group: group(worker),
              })),
            ],
            "NAT: one copy tells both, what the client has sent and what the router has made of it",
          )
          : step(
            chain,
            eachWorker(workers, { original: true, protocol }, (worker) => ({
              kind: "question-twice",
              family,
              protocol,
              group: group(worker),
              tellsFlowMark: false,
            })),
            "NAT: two copies, as an IPv6 header has no room",
          )
      ),
      ...(insists
        ? [
          step(FORM_CHAIN, asked, "How it asks"),
          step(
            TELLS_CHAIN,
            [TELL, { conditions: [], effect: goTo(FORM_CHAIN), reason: "As others" }],
            ANSWERS_REASON,
          ),
          planClientToClient(families),
        ]
        : []),
      step(
        QUESTION_CHAIN,
        [
          ...(tcp ? families.map(forget) : []),
          ...(insists
            ? [{
              conditions: [leavesThrough(inner)],
              effect: goTo(CLIENTS_CHAIN),
              reason: "From client to client",
            }]
            : inner === null
            ? []
            : [{ conditions: [leavesThrough(inner)], effect: PASS, reason: "From client to client" }]),
          ...(insists ? [{ conditions: [], effect: goTo(FORM_CHAIN), reason: "To the outside" }] : asked),
        ],
        insists ? "Whether it asks" : "How it asks",
      ),
    ],
  };
}

const FORMS = { ipv4: "squeezed", ipv6: "translated" } as const;
const SQUEEZE_REASON =
  "The packet vanishes: the original addresses and ports overwrite what the worker does without";
const TO_PLAIN: PlannedRule = { conditions: [], effect: goTo(PLAIN_CHAIN), reason: "Not translated" };

function step(name: string, rules: readonly PlannedRule[], reason: string): OpenChain {
  return { name, place: "live-step", rules, reason };
}

/**
 * Makes room in the set for others; where conntrack does not see the flow, time does. Datagrams of a burst
 * are on their way at once, and the first must not take the place of the others.
 */
function forget(family: Family): PlannedRule {
  return {
    conditions: [{ kind: "family", family }, TCP],
    effect: { kind: "end-question", family, set: askingSet(family) },
    reason: "Its way is at its end",
  };
}

function lead(
  { family, protocol, chain }: { family: "ipv4" | "ipv6"; protocol: Protocol; chain: string },
): PlannedRule {
  return {
    conditions: [{ kind: "translated-flow" }, { kind: "family", family }, {
      kind: "protocol",
      protocols: [protocol],
    }],
    effect: goTo(chain),
    reason: "NAT has changed an address or a port",
  };
}

/** Plans the chain `ask`, none where nothing asks; `first`: rules for what asks in another way. */
export function planAsk(scope: Scope, first: readonly PlannedRule[]): Contribution {
  const rules = [...first, ...(scope.brings ? askFirst(scope) : [])];
  if (rules.length === 0) return {};
  return {
    chains: [{
      name: "ask",
      place: "ask",
      // Before the interface, which costs a look into a set.
      rules: [...(scope.tcp ? [NO_BARE_SYN] : []), onlyFromClients(scope), ...rules],
      reason: "The end of the forward path, behind all filters and NAT",
    }],
  };
}

function askFirst({ families, protocols }: Scope): PlannedRule[] {
  return families.flatMap((family) => [
    ...protocols.map((protocol): PlannedRule => ({
      conditions: [{ kind: "family", family }, newFlow(protocol), {
        kind: "original-flow",
        family,
        set: askingSet(family),
      }],
      effect: goTo(QUESTION_CHAIN),
      reason: "What the router lets out asks; what it refuses never comes here",
    })),
    ...protocols.map((protocol): PlannedRule => ({
      conditions: [{ kind: "untracked" }, { kind: "family", family }, newFlow(protocol), {
        kind: "remembered-flow",
        family,
        set: askingSet(family),
      }],
      effect: goTo(QUESTION_CHAIN),
      reason: "The same where the administrator keeps it out of conntrack",
    })),
  ]);
}

/** Rules for flows that are forwarded after all. */
export const PASS_HELPED: readonly PlannedRule[] = [
  {
    conditions: [{ kind: "helped-flow" }],
    effect: PASS,
    reason: "The router's own helper reads along, as for FTP: it must see the flow",
  },
  {
    conditions: [{ kind: "related-flow" }],
    effect: PASS,
    reason: "Such a helper has expected it",
  },
];

/** Plans the chain of what leaves to another client: only what a rule names asks. */
function planClientToClient(families: readonly Family[]): OpenChain {
  const asks = (conditions: readonly Condition[]): PlannedRule => ({
    conditions,
    effect: goTo(TELLS_CHAIN),
    reason: "A rule names its destination",
  });
  return step(
    CLIENTS_CHAIN,
    [
      ...families.map((family) =>
        asks([{ kind: "family", family }, { kind: "original-flow", family, set: insistingSet(family) }])
      ),
      ...families.map((family) =>
        asks([{ kind: "untracked" }, { kind: "family", family }, {
          kind: "remembered-flow",
          family,
          set: insistingSet(family),
        }])
      ),
      { conditions: [], effect: PASS, reason: "Others are forwarded" },
    ],
    "From client to client",
  );
}

/** Divides the clients' ports among the workers: one port always asks the same. */
export function eachWorker(
  workers: number,
  port: { original: boolean; protocol?: Protocol },
  effect: (worker: number) => Effect,
): PlannedRule[] {
  return Array.from({ length: workers }, (_, worker) => ({
    conditions: workers === 1 ? [] : portsOf(worker, workers, port),
    effect: effect(worker),
    reason: `Worker ${worker}`,
  }));
}

function portsOf(
  worker: number,
  workers: number,
  { original, protocol }: { original: boolean; protocol?: Protocol },
): Condition[] {
  const { first, last } = questionShare(worker, workers);
  return [
    ...(protocol === undefined ? [] : [{ kind: "protocol", protocols: [protocol] } as const]),
    {
      kind: "source-port-share",
      original,
      mask: ((1 << questionBits(workers)) - 1) << QUESTION_SHIFT,
      first: first << QUESTION_SHIFT,
      last: last << QUESTION_SHIFT,
    },
  ];
}
