/**
 * The last word on marks before routing: packets of clients' legs, of other programs' connections, and
 * replies to sockets that have clients' addresses go to their sockets, whatever mark others have given them.
 * Pure.
 * @module
 */
import { FLOW_LABEL } from "../../../../constants.ts";
import type { Contribution, OpenChain } from "../../contribution.ts";
import {
  CONNECTED,
  excludeOtherFamily,
  EXEMPT_WILDCARD,
  fromLoopback,
  OTHER_TCP_PASSES,
  UDP,
} from "../../phrases.ts";
import { goTo, LEAVE, TO_SOCKET } from "../../rules/effect.ts";
import { comesFrom, type InterfaceGroup, planInterfaceSet } from "../../rules/interface_match.ts";
import type { PlannedRule } from "../../model.ts";
import { type Scope, watches } from "../../scope.ts";
import { planReceipt, RECEIPT_CHAIN } from "./receipt.ts";

const TO_SOCKET_CHAIN = "to_socket";
/** The chain that brings packets to sockets. */
export const LATE_CHAIN = "late";
/** The chain of packets of clients' legs. */
export const LEG_CHAIN = "client_leg";

const RELEASED: PlannedRule = {
  conditions: [{ kind: "flow-label", label: FLOW_LABEL.released, negate: false }],
  effect: LEAVE,
  reason: "The kernel forwards it, to the end: no socket has to be looked for",
};

/** Plans the chain `late`, and those that it leads to. */
export function planLate(scope: Scope): Contribution {
  const { inner, ownTraffic } = scope;
  const skipped = inner === null ? [] : skipClients(scope, inner);
  // The router's own traffic needs the set as well, and plans it.
  const needsSet = inner !== null && skipped.length > 0 && !ownTraffic;
  return {
    sets: needsSet ? planInterfaceSet(inner, "Interfaces of clients alone") : [],
    chains: [...(scope.udp ? [planToSocket()] : []), planReceipt(scope), planLeg(), {
      name: LATE_CHAIN,
      place: "late",
      rules: [
        {
          conditions: [{ kind: "zone", zone: scope.clientZone }],
          effect: goTo(LEG_CHAIN),
          reason: "The clients' legs of what the proxy has taken",
        },
        ...(watches(scope) ? [RELEASED] : []),
        ...excludeOtherFamily(scope),
        ...planDelivered(scope),
        ...skipped,
        ...giveToSockets(scope),
        "errors from elsewhere",
      ],
      reason: "After everybody's marks and NAT: what belongs to a socket of this machine is brought to it",
    }],
  };
}

/** Tells whether rules deliver flows to other programs. */
export function delivers({ rules }: Scope): boolean {
  return rules.some(({ outcome }) => outcome.kind === "program");
}

/** Brings first packets to the listeners that `divert` has given them, where their mark has been lost. */
function planDelivered(scope: Scope): PlannedRule[] {
  if (!delivers(scope)) return [];
  return [{
    conditions: [comesFrom(scope.lan, { negate: false }), {
      kind: "protocol",
      protocols: scope.protocols,
    }, { kind: "of-program" }],
    effect: TO_SOCKET,
    reason: "Flows for other programs: the packet has their listener already",
  }];
}

/** Lets go what clients send, unless it may be a reply or belong to another program's connection. */
function skipClients(scope: Scope, inner: InterfaceGroup): PlannedRule[] {
  const { udp, tcp } = scope;
  const rule = (conditions: PlannedRule["conditions"]): PlannedRule => ({
    conditions,
    effect: LEAVE,
    reason: "What clients send is no reply",
  });
  const fromClients = comesFrom(inner, { negate: false });
  if (!delivers(scope) || !tcp) return [rule([fromClients])];
  return udp ? [rule([fromClients, UDP])] : [];
}

function giveToSockets({ tcp, udp, filtering }: Scope): OpenChain["rules"] {
  const answers: PlannedRule["conditions"] = filtering === "endpoint-independent"
    ? [UDP, { kind: "transparent-socket" }]
    : [UDP, { kind: "known-flow" }, { kind: "transparent-socket" }];
  return [
    ...(tcp
      ? [
        {
          conditions: CONNECTED,
          effect: TO_SOCKET,
          reason: "Packets of a socket that has a client's address go to it, not to the client",
        } as const,
        OTHER_TCP_PASSES,
      ]
      : []),
    ...(udp
      ? [{
        conditions: answers,
        effect: goTo(TO_SOCKET_CHAIN),
        reason: filtering === "endpoint-independent"
          ? "The same for datagrams, whoever sends them"
          : "The same for answers; a datagram that nobody asked for is the router's firewall's business",
      }]
      : []),
  ];
}

function planLeg(): OpenChain {
  return {
    name: LEG_CHAIN,
    place: "end",
    rules: [
      {
        conditions: [fromLoopback({ negate: false })],
        effect: goTo(RECEIPT_CHAIN),
        reason: "First packets that a proxy has held",
      },
      { conditions: [], effect: TO_SOCKET, reason: "All others have their socket" },
    ],
    reason: "Packets of clients' legs",
  };
}

function planToSocket(): OpenChain {
  return {
    name: TO_SOCKET_CHAIN,
    place: "end",
    rules: [
      EXEMPT_WILDCARD,
      { conditions: [], effect: TO_SOCKET, reason: "A socket with the address of a client" },
    ],
    reason: "What has a transparent socket",
  };
}
