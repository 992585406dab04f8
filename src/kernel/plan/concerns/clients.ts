/**
 * Clients' packets to the proxy, and the proxy's to clients: both stay out of conntrack. Pure.
 * @module
 */
import type { Condition } from "../rules/condition.ts";
import type { Contribution, OpenChain } from "../contribution.ts";
import { type Effect, goTo } from "../rules/effect.ts";
import { planInterfaceSet } from "../rules/interface_match.ts";
import type { PlannedRule } from "../model.ts";
import {
  excludeOtherFamily,
  FOR_OTHERS,
  newFlow,
  onlyFromClients,
  OTHER_TCP_PASSES,
  TCP,
} from "../phrases.ts";
import type { Scope } from "../scope.ts";
import { applyRules, INTERCEPT_CHAIN } from "./decision.ts";

const ACCEPTED_CHAIN = "accepted";
const OURS: Effect = { kind: "socket", tracked: false };
const THEIRS: Effect = { kind: "socket", tracked: true };

/** Plans the chain `divert`, and `accepted` where rules deliver to other programs. */
export function planClients(scope: Scope): Contribution {
  const accepted = planAccepted(scope);
  return {
    sets: planInterfaceSet(scope.lan, "Interfaces whose clients are intercepted"),
    chains: [...accepted, {
      name: "divert",
      place: "from-clients",
      rules: [
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
    ...giveToSockets(scope, delivers),
    OTHER_TCP_PASSES,
  ];
}

/**
 * Brings packets of accepted connections to their sockets: ours, or those of a program to which flows are
 * delivered.
 */
function giveToSockets({ marks }: Scope, delivers: boolean): PlannedRule[] {
  const found: Condition[] = [TCP, { kind: "transparent-socket" }];
  const ours: Condition[] = delivers ? [{ kind: "socket-mark", mark: marks.clientSocket }] : [];
  return [
    {
      conditions: [...found, ...ours, FOR_OTHERS],
      effect: OURS,
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
  const rules = scope.rules.filter(({ conditions }) => conditions.protocol !== "udp");
  const last = rules.findLastIndex(({ outcome }) => outcome.kind === "program");
  if (last < 0 || !scope.tcp) return [];
  return [{
    name: ACCEPTED_CHAIN,
    place: "accepted",
    rules: [
      ...applyRules(rules.slice(0, last + 1), ({ kind }) => kind === "program" ? THEIRS : OURS),
      { conditions: [], effect: OURS, reason: "The connections of the proxy" },
    ],
    reason: "Conntrack sees the connections of other programs, as those expect, and not ours",
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
