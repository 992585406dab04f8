/**
 * Clients' packets to the proxy, and the proxy's to clients: both stay out of conntrack, or have a zone of
 * their own there. Pure.
 * @module
 */
import type { Condition } from "../rules/condition.ts";
import type { Contribution, OpenChain } from "../contribution.ts";
import { type Effect, goTo, TO_SOCKET } from "../rules/effect.ts";
import { planInterfaceSet } from "../rules/interface_match.ts";
import type { PlannedRule } from "../model.ts";
import {
  CONNECTED,
  excludeOtherFamily,
  EXEMPT_OWN,
  FOR_OTHERS,
  listenerAt,
  newFlow,
  NO_BARE_SYN,
  onlyFromClients,
  OTHER_TCP_PASSES,
  TCP,
} from "../phrases.ts";
import { rulesOf, type Scope } from "../scope.ts";
import { applyRules, INTERCEPT_CHAIN } from "./decision.ts";
import { inAnswered, planAnsweredSets } from "./forward_path/answered.ts";

const ACCEPTED_CHAIN = "accepted";

/** Finds what becomes of packets of connections that the proxy has accepted. */
export function ofProxy({ admission, clientZone }: Scope): Effect {
  return admission === "early"
    ? { kind: "socket", tracked: false }
    : { kind: "client-leg", zone: clientZone };
}

/** Plans the chain `divert`, and `accepted` where rules deliver to other programs. */
export function planClients(scope: Scope): Contribution {
  const accepted = planAccepted(scope);
  return {
    sets: [
      ...planInterfaceSet(scope.lan, "Interfaces whose clients are intercepted"),
      ...(scope.admission === "early" || !scope.brings ? [] : planAnsweredSets(scope)),
    ],
    chains: [...accepted, {
      name: "divert",
      place: "from-clients",
      rules: [
        ...(scope.tcp && !scope.brings ? [NO_BARE_SYN] : []),
        onlyFromClients(scope),
        ...excludeOtherFamily(scope),
        ...(scope.tcp ? planTcp(scope, accepted.length > 0) : []),
        ...(scope.udp
          ? ["remembered passes", {
            conditions: [newFlow("udp")],
            effect: goTo(INTERCEPT_CHAIN),
            reason: "Every datagram: UDP has no SYN",
          }] as const
          : []),
        "errors of clients",
      ],
      reason:
        "The LAN side, before conntrack: the proxy's own leg has the same addresses and ports as the client's",
    }],
  };
}

function planTcp(scope: Scope, delivers: boolean): PlannedRule[] {
  return [
    {
      conditions: [newFlow("tcp")],
      effect: goTo(INTERCEPT_CHAIN),
      // tproxy hands a SYN to the listener though a socket of the same addresses and ports is in TIME_WAIT.
      reason:
        "SYNs first: a socket in TIME_WAIT would answer a client that uses its port again, and be reset",
    },
    ...(scope.brings ? [...giveToSockets(scope, delivers), OTHER_TCP_PASSES] : []),
  ];
}

/**
 * Brings packets of accepted connections to their sockets: ours, or those of a program to which flows are
 * delivered.
 */
function giveToSockets(scope: Scope, delivers: boolean): PlannedRule[] {
  const { marks, admission } = scope;
  if (admission === "forward-path") {
    return [
      {
        conditions: CONNECTED,
        effect: goTo(ACCEPTED_CHAIN),
        reason: "Connections that the proxy has accepted, or another program",
      },
      ...scope.families.map((family): PlannedRule => ({
        conditions: [...inAnswered(family, { answer: false }), { kind: "acknowledges" }],
        effect: { kind: "listener", zone: scope.clientZone, to: listenerAt(family, scope.listenerPort) },
        reason: "The end of a handshake with SYN cookies: until now there is no socket",
      })),
    ];
  }
  const found: Condition[] = [TCP, { kind: "transparent-socket" }];
  const ours: Condition[] = delivers ? [{ kind: "socket-mark", mark: marks.clientSocket }] : [];
  return [
    {
      conditions: [...found, ...ours, FOR_OTHERS],
      effect: ofProxy(scope),
      reason: "Packets of connections that the proxy has accepted go to their socket",
    },
    ...(delivers
      ? [{
        conditions: [...found, FOR_OTHERS],
        effect: goTo(ACCEPTED_CHAIN),
        reason: "Other programs' connections; and ours, while there is no more of them than a request",
      }]
      : []),
  ];
}

/**
 * Tells whose a connection is by the rule that its SYN has met: the socket itself has no mark while it is a
 * request, at the handshake's last packet. Only needed where rules deliver TCP.
 */
function planAccepted(scope: Scope): OpenChain[] {
  const rules = rulesOf("tcp", scope);
  const last = rules.findLastIndex(({ outcome }) => outcome.kind === "program");
  const early = scope.admission === "early";
  if (!scope.tcp || !scope.brings || (last < 0 && early)) return [];
  const ours = ofProxy(scope);
  return [{
    name: ACCEPTED_CHAIN,
    place: "accepted",
    rules: [
      ...(early ? [] : [{ ...EXEMPT_OWN, reason: "A program's own flows with the router" }]),
      ...applyRules(rules.slice(0, last + 1), ({ kind }) => kind === "program" ? TO_SOCKET : ours),
      { conditions: [], effect: ours, reason: "The connections of the proxy" },
    ],
    reason: early
      ? "Conntrack sees the connections of other programs, as those expect, and not ours"
      : "Conntrack sees the connections of other programs among all others, and ours in a zone of their own",
  }];
}

/** Plans the chain `untracked`. */
export function planToClients({ marks }: Scope): Contribution {
  return {
    chains: [{
      name: "untracked",
      place: "to-clients",
      rules: [
        "signs of life",
        {
          conditions: [{ kind: "mark", mark: marks.clientSocket }],
          effect: { kind: "untrack" },
          reason: "Sockets towards clients carry this mark (SO_MARK)",
        },
      ],
      reason: "What the proxy sends to clients stays out of conntrack, as what it receives from them does",
    }],
  };
}
