/**
 * The client's leg as the proxy sends it: conntrack sees it in a zone of its own, apart from the client's
 * own flow and from the upstream leg, which have the same addresses and ports. Pure.
 * @module
 */
import { CLIENT_PRIORITY, DIAL_PRIORITY } from "../../../../constants.ts";
import type { Family } from "../../../../net/ip.ts";
import type { Contribution } from "../../contribution.ts";
import type { PlannedRule } from "../../model.ts";
import { TCP } from "../../phrases.ts";
import type { Condition } from "../../rules/condition.ts";
import { PASS } from "../../rules/effect.ts";
import type { Scope } from "../../scope.ts";
import { inAnswered } from "./answered.ts";
import { ON_LOOPBACK } from "../life.ts";

/** The packet comes from a socket of the proxy towards a client. */
export const TO_CLIENT: Condition = { kind: "priority", priority: CLIENT_PRIORITY };

/** The packet is of what the proxy dials; `translated`: the router has done NAT of sources as well. */
export const DIALLED: Condition = { kind: "priority", priority: DIAL_PRIORITY.own };
export const DIALLED_TRANSLATED: Condition = { kind: "priority", priority: DIAL_PRIORITY.translated };

/** Plans the chain `zoned`. It outlives the proxy, whose sockets may have something to send yet. */
export function planZoned(scope: Scope): Contribution {
  return {
    chains: [{
      name: "zoned",
      place: "to-clients",
      rules: [
        ...planOwn(scope),
        toClients(scope),
        ...(scope.tcp ? planUnaccepted(scope, toClients(scope).effect) : []),
      ],
      reason: "What the proxy sends to clients, or in a client's name to itself",
    }],
  };
}

/**
 * Plans the chain `to_clients` of the running proxy's table: what `zoned` does, where nobody can flush it.
 * One packet to a client that conntrack saw in the router's own zone would make a flow without NAT there,
 * which the client's next question would meet.
 */
export function planUnflushed(scope: Scope): Contribution {
  const own: PlannedRule = {
    conditions: [ON_LOOPBACK],
    effect: PASS,
    reason: "Answers to the router's own programs are told apart by the chain zoned alone",
  };
  return {
    chains: [{
      name: "to_clients",
      place: "to-clients",
      rules: [
        ...(scope.ownTraffic ? [own] : []),
        toClients(scope),
        ...(scope.tcp ? planUnaccepted(scope, toClients(scope).effect) : []),
      ],
      reason: "The same as in the chain zoned, which others may flush, and whose sets a reload empties",
    }],
  };
}

function toClients({ clientZone }: Scope): PlannedRule {
  return {
    conditions: [TO_CLIENT],
    effect: { kind: "client-leg", zone: clientZone },
    reason: "Sockets towards clients have this priority (SO_PRIORITY), which no routing rule asks for",
  };
}

/**
 * Knows what the kernel sends for a connection that nobody has accepted yet: its socket has not inherited the
 * listener's priority.
 */
function planUnaccepted({ families }: Scope, toClient: PlannedRule["effect"]): PlannedRule[] {
  return [
    ...[DIALLED, DIALLED_TRANSLATED].map((dialled): PlannedRule => ({
      conditions: [dialled],
      effect: PASS,
      reason: "What the proxy dials need not be looked up",
    })),
    ...families.map(withhold),
    ...families.map((family): PlannedRule => ({
      conditions: inAnswered(family, { answer: true }),
      effect: toClient,
      reason: "Not accepted yet, so without a priority: acknowledges what the client has sent at once",
    })),
  ];
}

/**
 * Withholds resets that may be in error. While a connection takes the place of its request in the kernel's
 * table, another processor may find neither: the listener then gets what its client sends, and refuses it.
 * The client sends it again, and it arrives. Resets by the proxy itself acknowledge, and pass.
 */
function withhold(family: Family): PlannedRule {
  const [ofFamily, ofTcp, ...inSet] = inAnswered(family, { answer: true });
  return {
    conditions: [ofFamily, ofTcp, { kind: "resets-alone" }, ...inSet],
    effect: { kind: "drop", protocols: ["tcp"] },
    reason: "The kernel knows no such connection; it may have looked while it was being accepted",
  };
}

/** Keeps the flows of the router's own programs where those programs' packets are. */
function planOwn({ ownTraffic, marks, tcp }: Scope): PlannedRule[] {
  if (!ownTraffic) return [];
  const unmarked: Condition = { kind: "mark-bits", mask: marks.router, negate: true };
  const rule = (conditions: readonly Condition[], reason: string): PlannedRule => ({
    conditions: [ON_LOOPBACK, ...conditions, unmarked],
    effect: { kind: "loop-back", noted: false },
    reason,
  });
  return [
    rule(
      [TO_CLIENT],
      "Answers to the router's own programs. Others may save the mark of a packet as that of its flow: both ways have what the flow needs",
    ),
    ...(tcp
      ? [rule([TCP, { kind: "transparent-socket" }], "The same before the proxy has accepted the connection")]
      : []),
  ];
}
